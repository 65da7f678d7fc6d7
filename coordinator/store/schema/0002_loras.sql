-- Names of LoRA files and the versions that jobs were promised. The bytes lie
-- in the blob store under their digest; a row is written only after them.
-- Times are microseconds since 1970.

CREATE TABLE loras (
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  dialect TEXT NOT NULL,
  layers INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  number INTEGER NOT NULL,  -- the newest version of a name has the largest
  PRIMARY KEY (name, sha256)
) WITHOUT ROWID;

-- No reference to loras: a pin of a job that ended says what was used, whether
-- or not that is still registered.
CREATE TABLE lora_pins (
  job TEXT NOT NULL,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (job, name, sha256)
) WITHOUT ROWID;

-- Whether a LoRA is applied without the keys that fit no layer.
ALTER TABLE jobs ADD COLUMN allow_unmatched_loras INTEGER NOT NULL DEFAULT 0;

-- Digests that all pictures of the shard use, sorted, separated by commas.
ALTER TABLE shards ADD COLUMN loras TEXT NOT NULL DEFAULT '';
