// The writing side of the SQLite job store.
#ifndef TESSERA_COORDINATOR_STORE_SQLITE_TRANSACTION_H_
#define TESSERA_COORDINATOR_STORE_SQLITE_TRANSACTION_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "coordinator/store/job_store.h"
#include "coordinator/store/sqlite_database.h"

namespace tessera::coordinator {

// The connection that writes, with its statements prepared once.
// Thread-compatible.
struct SqliteWriter {
  // Prepares the statements on `database`, whose schema is up to date.
  static absl::StatusOr<std::unique_ptr<SqliteWriter>> Create(
      std::unique_ptr<SqliteDatabase> database);

  std::unique_ptr<SqliteDatabase> database;
  SqliteStatement put_job;
  SqliteStatement add_payload;
  SqliteStatement put_shard;
  SqliteStatement add_result;
  SqliteStatement add_conflict;
  SqliteStatement find_result;
  SqliteStatement put_lora;
  SqliteStatement delete_lora;
  SqliteStatement pin_lora;
};

// A transaction on a writer. SQLite hears of it with the first write or
// FindResult, so that one without either costs nothing. Thread-compatible.
class SqliteTransaction final : public JobTransaction {
 public:
  explicit SqliteTransaction(SqliteWriter& writer);
  ~SqliteTransaction() override;

  void PutJob(const Job& job) override;
  void DeleteJob(const JobId& job) override;
  void AddShard(const JobId& job, const Shard& shard,
                const std::string& payload) override;
  void PutShard(const JobId& job, const Shard& shard) override;
  void AddResult(const ShardId& shard, const TaskResult& result) override;
  void AddConflict(const ShardId& shard, int64_t epoch,
                   const TaskResult& result) override;
  std::optional<TaskResult> FindResult(const ShardId& shard,
                                       int32_t task) override;
  void PutLora(const Lora& lora) override;
  void DeleteLora(const std::string& name, const std::string& sha256) override;
  void PinLora(const JobId& job, const LoraPin& pin) override;
  absl::Status Commit() override;

 private:
  // Runs `write` inside the transaction unless an error is latched.
  void Write(absl::FunctionRef<absl::Status()> write);

  SqliteWriter& writer_;
  bool open_ = false;
  absl::Status status_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_STORE_SQLITE_TRANSACTION_H_
