-- Jobs, the progress of their shards, and what became of each picture.
-- Times are microseconds since 1970; NULL: not yet. A shard's payload stands
-- apart from its progress, so that progress is cheap to rewrite.

CREATE TABLE jobs (
  id TEXT NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL UNIQUE,
  state INTEGER NOT NULL,  -- JobState in job.h, by number
  outcome INTEGER NOT NULL,
  model TEXT NOT NULL,
  output_uri TEXT NOT NULL,
  shard_size INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  seed INTEGER NOT NULL,  -- the 64 bits, as signed
  max_failed_images INTEGER,
  request_json TEXT NOT NULL,
  images_total INTEGER NOT NULL,
  images_done INTEGER NOT NULL,
  images_failed INTEGER NOT NULL,
  images_cancelled INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  shards INTEGER NOT NULL,
  shards_finished INTEGER NOT NULL,
  retries INTEGER NOT NULL,
  create_time INTEGER,
  start_time INTEGER,
  end_time INTEGER,
  message TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE shards (
  job TEXT NOT NULL,
  shard INTEGER NOT NULL,
  first_line INTEGER NOT NULL,
  pictures INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  holder TEXT NOT NULL,  -- empty: not leased
  lost_leases INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  finished BLOB NOT NULL,  -- a bit a task
  attempts TEXT NOT NULL,  -- task:attempts:epoch, separated by commas
  PRIMARY KEY (job, shard)
) WITHOUT ROWID;

CREATE TABLE payloads (
  job TEXT NOT NULL,
  shard INTEGER NOT NULL,
  payload BLOB NOT NULL,
  UNIQUE (job, shard)
);

CREATE TABLE results (
  job TEXT NOT NULL,
  shard INTEGER NOT NULL,
  task INTEGER NOT NULL,
  failure_code TEXT,  -- NULL: a picture
  failure_reason TEXT,
  custom_id TEXT,
  image INTEGER,  -- which picture of its line
  seed INTEGER,
  path TEXT,
  sha256 TEXT,
  width INTEGER,
  height INTEGER,
  worker TEXT,
  seconds REAL,
  PRIMARY KEY (job, shard, task)
) WITHOUT ROWID;

-- Pictures that were made again and came out different; never overwritten.
CREATE TABLE conflicts (
  job TEXT NOT NULL,
  shard INTEGER NOT NULL,
  task INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  worker TEXT NOT NULL
);
CREATE INDEX conflicts_of_job ON conflicts (job);
