#include "coordinator/store/sqlite_job_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "coordinator/store/migrations.h"
#include "coordinator/store/sqlite_rows.h"

namespace tessera::coordinator {
namespace {

// Reads the whole file and returns DATA_LOSS for a damaged file: better found
// at the start than by the commit that happens to meet the page.
absl::Status CheckIntegrity(SqliteDatabase& database) {
  // quick_check leaves out the comparison of indexes with tables, which takes
  // much longer on a big file; one finding is enough to refuse.
  ASSIGN_OR_RETURN(const std::string answer,
                   database.QueryText("PRAGMA quick_check(1)"));
  if (answer == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the job store is damaged; restore it from a backup: ", answer));
}

// Opens the connection that writes and brings the file into shape.
absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenWriting(
    const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                   SqliteDatabase::Open(path));
  // Checks before we write anything: not even the journal mode of a damaged
  // file is changed, so that it can still be copied and examined.
  RETURN_IF_ERROR(CheckIntegrity(*database));
  // WAL lets the reader go on during a commit. FULL syncs the log in every
  // commit, or an answered call could be lost with the power (I2).
  RETURN_IF_ERROR(database->Execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  RETURN_IF_ERROR(Migrate(*database));
  return database;
}

// Opens the connection that reads. It cannot write by mistake: SQLite refuses.
absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenReading(
    const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                   SqliteDatabase::Open(path));
  RETURN_IF_ERROR(database->Execute("PRAGMA query_only = ON"));
  return database;
}

// Binds `shard` to the first two parameters.
void BindShardId(SqliteStatement& statement, const ShardId& shard) {
  statement.BindText(1, shard.job.value()).Bind(2, shard.index);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJobStore>> SqliteJobStore::Open(
    const std::string& path) {
  // The lock comes first: two coordinators must not even migrate at once. A
  // file of its own is locked, as SQLite's locks on `path` come and go.
  ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(path + ".lock"));
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> writing, OpenWriting(path));
  // Opened after the migration, so that it never sees an old schema.
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> reading, OpenReading(path));
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteWriter> writer,
                   SqliteWriter::Create(std::move(writing)));
  return std::unique_ptr<SqliteJobStore>(new SqliteJobStore(
      std::move(lock), std::move(writer), std::move(reading)));
}

SqliteJobStore::SqliteJobStore(FileLock lock,
                               std::unique_ptr<SqliteWriter> writer,
                               std::unique_ptr<SqliteDatabase> reader)
    : lock_(std::move(lock)),
      writer_(std::move(writer)),
      reader_(std::move(reader)) {}

absl::StatusOr<std::unique_ptr<JobTransaction>> SqliteJobStore::Begin() {
  // Nothing happens yet: the transaction begins at its first write or search.
  return std::make_unique<SqliteTransaction>(*writer_);
}

absl::StatusOr<std::vector<Job>> SqliteJobStore::LoadJobs() const {
  absl::MutexLock lock(&reader_mu_);
  // Read at a start and after a failed commit only; a prepared statement that
  // is kept would gain nothing.
  ASSIGN_OR_RETURN(
      SqliteStatement statement,
      reader_->Prepare(absl::StrCat("SELECT ", std::string(kJobColumns),
                                    " FROM jobs ORDER BY number")));
  std::vector<Job> jobs;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return jobs;
    ASSIGN_OR_RETURN(Job job, ReadJob(statement));
    jobs.push_back(std::move(job));
  }
}

absl::StatusOr<std::vector<Shard>> SqliteJobStore::LoadShards(
    const JobId& job) const {
  absl::MutexLock lock(&reader_mu_);
  ASSIGN_OR_RETURN(
      SqliteStatement statement,
      reader_->Prepare(absl::StrCat("SELECT ", std::string(kShardColumns),
                                    " FROM shards WHERE job = ? "
                                    "ORDER BY shard")));
  statement.BindText(1, job.value());
  std::vector<Shard> shards;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return shards;
    ASSIGN_OR_RETURN(Shard shard, ReadShard(statement));
    shards.push_back(std::move(shard));
  }
}

absl::StatusOr<std::string> SqliteJobStore::ReadPayload(
    const ShardId& shard) const {
  absl::MutexLock lock(&reader_mu_);
  // Needs no transaction: a payload never changes once it is written.
  ASSIGN_OR_RETURN(SqliteStatement statement,
                   reader_->Prepare("SELECT payload FROM payloads "
                                    "WHERE job = ? AND shard = ?"));
  BindShardId(statement, shard);
  ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (found) return statement.Text(0);
  return absl::NotFoundError(
      absl::StrCat("unknown shard: ", shard.job.value(), " ", shard.index));
}

absl::StatusOr<std::vector<TaskResult>> SqliteJobStore::ReadResults(
    const ShardId& shard) const {
  absl::MutexLock lock(&reader_mu_);
  ASSIGN_OR_RETURN(
      SqliteStatement statement,
      reader_->Prepare(absl::StrCat("SELECT ", std::string(kResultColumns),
                                    " FROM results WHERE job = ? "
                                    "AND shard = ? ORDER BY task")));
  BindShardId(statement, shard);
  std::vector<TaskResult> results;
  while (true) {
    // A picture a row: the caller asks for one shard, so the list is bounded by
    // the shard's size.
    ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return results;
    results.push_back(ReadResult(statement));
  }
}

absl::StatusOr<int64_t> SqliteJobStore::CountConflicts(const JobId& job) const {
  absl::MutexLock lock(&reader_mu_);
  ASSIGN_OR_RETURN(
      SqliteStatement statement,
      reader_->Prepare("SELECT COUNT(*) FROM conflicts WHERE job = ?"));
  statement.BindText(1, job.value());
  // COUNT(*) always has a row, so only errors are of interest.
  RETURN_IF_ERROR(statement.Step().status());
  return statement.Int(0);
}

absl::StatusOr<std::vector<Lora>> SqliteJobStore::LoadLoras() const {
  absl::MutexLock lock(&reader_mu_);
  ASSIGN_OR_RETURN(
      SqliteStatement statement,
      reader_->Prepare(absl::StrCat("SELECT ", std::string(kLoraColumns),
                                    " FROM loras ORDER BY number")));
  std::vector<Lora> loras;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return loras;
    loras.push_back(ReadLora(statement));
  }
}

absl::StatusOr<std::vector<LoraPin>> SqliteJobStore::LoadLoraPins(
    const JobId& job) const {
  absl::MutexLock lock(&reader_mu_);
  ASSIGN_OR_RETURN(SqliteStatement statement,
                   reader_->Prepare("SELECT name, sha256 FROM lora_pins "
                                    "WHERE job = ? ORDER BY name, sha256"));
  statement.BindText(1, job.value());
  std::vector<LoraPin> pins;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return pins;
    pins.push_back({statement.Text(0), statement.Text(1)});
  }
}

}  // namespace tessera::coordinator
