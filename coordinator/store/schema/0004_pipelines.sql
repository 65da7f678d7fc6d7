-- How many workers run a job's UNet together.
ALTER TABLE jobs ADD COLUMN pipeline_stages INTEGER NOT NULL DEFAULT 1;
