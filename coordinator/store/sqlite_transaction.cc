#include "coordinator/store/sqlite_transaction.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "coordinator/store/sqlite_rows.h"

namespace tessera::coordinator {
namespace {

// Only the caller knows `count`: it has to be that of `columns`.
// Returns "INSERT OR REPLACE INTO table (columns) VALUES (?, ?, …)".
std::string InsertSql(const char* verb, const char* table,
                      std::string_view columns, int count) {
  std::string marks = "?";
  for (int i = 1; i < count; ++i) marks += ", ?";
  return absl::StrCat(verb, " INTO ", table, " (", std::string(columns),
                      ") VALUES (", marks, ")");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteWriter>> SqliteWriter::Create(
    std::unique_ptr<SqliteDatabase> database) {
  SqliteDatabase& db = *database;
  // Jobs and shards are replaced whole: their rows are short, since payloads
  // and results stand in tables of their own.
  ASSIGN_OR_RETURN(
      SqliteStatement put_job,
      db.Prepare(InsertSql("INSERT OR REPLACE", "jobs", kJobColumns, 26)));
  ASSIGN_OR_RETURN(
      SqliteStatement add_payload,
      db.Prepare(InsertSql("INSERT", "payloads", "job, shard, payload", 3)));
  ASSIGN_OR_RETURN(
      SqliteStatement put_shard,
      db.Prepare(InsertSql("INSERT OR REPLACE", "shards", kShardColumns, 11)));
  // Plain INSERT: a second outcome of a task is a mistake of ours and must fail
  // rather than overwrite the first (I4).
  ASSIGN_OR_RETURN(
      SqliteStatement add_result,
      db.Prepare(InsertSql("INSERT", "results", kResultColumns, 14)));
  ASSIGN_OR_RETURN(
      SqliteStatement add_conflict,
      db.Prepare(InsertSql("INSERT", "conflicts",
                           "job, shard, task, epoch, sha256, worker", 6)));
  ASSIGN_OR_RETURN(
      SqliteStatement find_result,
      db.Prepare(absl::StrCat("SELECT ", std::string(kResultColumns),
                              " FROM results WHERE job = ? AND shard = ? "
                              "AND task = ?")));
  ASSIGN_OR_RETURN(
      SqliteStatement put_lora,
      db.Prepare(InsertSql("INSERT OR REPLACE", "loras", kLoraColumns, 7)));
  ASSIGN_OR_RETURN(
      SqliteStatement delete_lora,
      db.Prepare("DELETE FROM loras WHERE name = ? AND sha256 = ?"));
  ASSIGN_OR_RETURN(SqliteStatement pin_lora,
                   db.Prepare(InsertSql("INSERT OR IGNORE", "lora_pins",
                                        "job, name, sha256", 3)));
  // `db` stays valid: moving the pointer does not move what it points to.
  return std::unique_ptr<SqliteWriter>(new SqliteWriter{
      std::move(database), std::move(put_job), std::move(add_payload),
      std::move(put_shard), std::move(add_result), std::move(add_conflict),
      std::move(find_result), std::move(put_lora), std::move(delete_lora),
      std::move(pin_lora)});
}

SqliteTransaction::SqliteTransaction(SqliteWriter& writer) : writer_(writer) {}

SqliteTransaction::~SqliteTransaction() {
  // SQLite may have rolled back by itself, after a full disk for example; then
  // this fails and nothing is left to do.
  if (open_) writer_.database->Execute("ROLLBACK").IgnoreError();
}

void SqliteTransaction::Write(absl::FunctionRef<absl::Status()> write) {
  if (!status_.ok()) return;
  if (!open_) {
    // IMMEDIATE takes the write lock now, where waiting is harmless; a deferred
    // one that has read may find it taken and cannot wait for it.
    status_ = writer_.database->Execute("BEGIN IMMEDIATE");
    open_ = status_.ok();
  }
  // A latched error keeps the rest from running: a commit must not hold half of
  // what was asked.
  if (status_.ok()) status_ = write();
}

void SqliteTransaction::PutJob(const Job& job) {
  Write([&] {
    BindJob(writer_.put_job, job);
    return writer_.put_job.Run();
  });
}

void SqliteTransaction::DeleteJob(const JobId& job) {
  Write([&]() -> absl::Status {
    // Children first, the job last; the order does not matter inside a
    // transaction but keeps the list readable against the schema.
    for (const char* table :
         {"lora_pins", "conflicts", "results", "payloads", "shards", "jobs"}) {
      const char* key = table == std::string_view("jobs") ? "id" : "job";
      // Dropping a job is rare, so these statements are not kept prepared.
      ASSIGN_OR_RETURN(SqliteStatement statement,
                       writer_.database->Prepare(absl::StrCat(
                           "DELETE FROM ", table, " WHERE ", key, " = ?")));
      statement.BindText(1, job.value());
      RETURN_IF_ERROR(statement.Run());
    }
    return absl::OkStatus();
  });
}

void SqliteTransaction::AddShard(const JobId& job, const Shard& shard,
                                 const std::string& payload) {
  // Two writes, one transaction: a shard without its payload is never seen.
  PutShard(job, shard);
  Write([&] {
    writer_.add_payload.BindText(1, job.value())
        .Bind(2, shard.index)
        .BindBlob(3, payload);
    return writer_.add_payload.Run();
  });
}

void SqliteTransaction::PutShard(const JobId& job, const Shard& shard) {
  Write([&] {
    BindShard(writer_.put_shard, job, shard);
    return writer_.put_shard.Run();
  });
}

void SqliteTransaction::AddResult(const ShardId& shard,
                                  const TaskResult& result) {
  Write([&] {
    BindResult(writer_.add_result, shard, result);
    return writer_.add_result.Run();
  });
}

void SqliteTransaction::AddConflict(const ShardId& shard, int64_t epoch,
                                    const TaskResult& result) {
  Write([&] {
    // Only pictures have digests, so only pictures can conflict.
    const auto& image = std::get<ImageRecord>(result.outcome);
    writer_.add_conflict.BindText(1, shard.job.value())
        .Bind(2, shard.index)
        .Bind(3, int64_t{result.task})
        .Bind(4, epoch)
        .BindText(5, image.sha256)
        .BindText(6, image.worker);
    return writer_.add_conflict.Run();
  });
}

std::optional<TaskResult> SqliteTransaction::FindResult(const ShardId& shard,
                                                        int32_t task) {
  std::optional<TaskResult> result;
  // Goes through Write although it reads: on this connection it sees rows that
  // are not committed yet, and an error is latched like any other.
  Write([&]() -> absl::Status {
    writer_.find_result.BindText(1, shard.job.value())
        .Bind(2, shard.index)
        .Bind(3, int64_t{task});
    const absl::StatusOr<bool> found = writer_.find_result.Step();
    if (found.ok() && *found) result = ReadResult(writer_.find_result);
    // Ends the read, which would otherwise hold up the commit.
    writer_.find_result.Reset();
    return found.status();
  });
  return result;
}

void SqliteTransaction::PutLora(const Lora& lora) {
  Write([&] {
    BindLora(writer_.put_lora, lora);
    return writer_.put_lora.Run();
  });
}

void SqliteTransaction::DeleteLora(const std::string& name,
                                   const std::string& sha256) {
  Write([&] {
    writer_.delete_lora.BindText(1, name).BindText(2, sha256);
    return writer_.delete_lora.Run();
  });
}

void SqliteTransaction::PinLora(const JobId& job, const LoraPin& pin) {
  Write([&] {
    writer_.pin_lora.BindText(1, job.value())
        .BindText(2, pin.name)
        .BindText(3, pin.sha256);
    return writer_.pin_lora.Run();
  });
}

absl::Status SqliteTransaction::Commit() {
  // Without a write there is nothing to make durable and nothing to sync.
  if (!open_ || !status_.ok()) return status_;
  // Returns after the log is synced. A commit that fails leaves the transaction
  // open, and the destructor undoes it.
  status_ = writer_.database->Execute("COMMIT");
  if (status_.ok()) open_ = false;
  return status_;
}

}  // namespace tessera::coordinator
