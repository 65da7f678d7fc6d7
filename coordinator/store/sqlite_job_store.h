// The job store of a single machine: one SQLite file.
#ifndef TESSERA_COORDINATOR_STORE_SQLITE_JOB_STORE_H_
#define TESSERA_COORDINATOR_STORE_SQLITE_JOB_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/store/file_lock.h"
#include "coordinator/store/job_store.h"
#include "coordinator/store/sqlite_database.h"
#include "coordinator/store/sqlite_transaction.h"

namespace tessera::coordinator {

// Writes ahead (WAL) with synchronous=FULL: a commit that was answered
// survives a power cut. One connection writes and one reads, so readers never
// wait for a commit. Thread-safe.
class SqliteJobStore final : public JobStore {
 public:
  // Opens or creates `path`, checks the file's integrity and migrates its
  // schema. Errors: UNAVAILABLE when another process has the store open or the
  // file cannot be opened; DATA_LOSS when it is damaged or no database;
  // FAILED_PRECONDITION when a newer version wrote it; RESOURCE_EXHAUSTED when
  // the disk is full.
  static absl::StatusOr<std::unique_ptr<SqliteJobStore>> Open(
      const std::string& path);

  absl::StatusOr<std::unique_ptr<JobTransaction>> Begin() override;
  absl::StatusOr<std::vector<Job>> LoadJobs() const override;
  absl::StatusOr<std::vector<Shard>> LoadShards(
      const JobId& job) const override;
  absl::StatusOr<std::string> ReadPayload(const ShardId& shard) const override;
  absl::StatusOr<std::vector<TaskResult>> ReadResults(
      const ShardId& shard) const override;
  absl::StatusOr<int64_t> CountConflicts(const JobId& job) const override;
  absl::StatusOr<std::vector<Lora>> LoadLoras() const override;
  absl::StatusOr<std::vector<LoraPin>> LoadLoraPins(
      const JobId& job) const override;

 private:
  SqliteJobStore(FileLock lock, std::unique_ptr<SqliteWriter> writer,
                 std::unique_ptr<SqliteDatabase> reader);

  const FileLock lock_;
  const std::unique_ptr<SqliteWriter> writer_;
  // The lock is the connection's own: SQLite wants one thread at a time.
  mutable absl::Mutex reader_mu_;
  const std::unique_ptr<SqliteDatabase> reader_ ABSL_PT_GUARDED_BY(reader_mu_);
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_STORE_SQLITE_JOB_STORE_H_
