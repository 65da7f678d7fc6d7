-- What a user should know of a job that did not fail, a line each.
ALTER TABLE jobs ADD COLUMN warnings TEXT NOT NULL DEFAULT '';
