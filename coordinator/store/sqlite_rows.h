// How jobs, shards and results stand in the rows of store/schema.
#ifndef TESSERA_COORDINATOR_STORE_SQLITE_ROWS_H_
#define TESSERA_COORDINATOR_STORE_SQLITE_ROWS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/job.h"
#include "coordinator/lora.h"
#include "coordinator/store/sqlite_database.h"

namespace tessera::coordinator {

// Columns in the order in which the functions below bind and read them.
inline constexpr std::string_view kJobColumns =
    "id, number, state, outcome, model, output_uri, shard_size, request_id, "
    "seed, max_failed_images, request_json, images_total, images_done, "
    "images_failed, images_cancelled, lines, shards, shards_finished, retries, "
    "create_time, start_time, end_time, message, allow_unmatched_loras, "
    "warnings, pipeline_stages";
inline constexpr std::string_view kShardColumns =
    "job, shard, first_line, pictures, epoch, holder, lost_leases, failed, "
    "finished, attempts, loras";
inline constexpr std::string_view kResultColumns =
    "job, shard, task, failure_code, failure_reason, custom_id, image, seed, "
    "path, sha256, width, height, worker, seconds";
inline constexpr std::string_view kLoraColumns =
    "name, sha256, size_bytes, dialect, layers, create_time, number";

// Binds a row to the parameters 1, 2, ….
void BindJob(SqliteStatement& statement, const Job& job);
void BindShard(SqliteStatement& statement, const JobId& job,
               const Shard& shard);
void BindResult(SqliteStatement& statement, const ShardId& shard,
                const TaskResult& result);
void BindLora(SqliteStatement& statement, const Lora& lora);

// Reads the current row. Errors: DATA_LOSS for values that cannot be.
absl::StatusOr<Job> ReadJob(const SqliteStatement& statement);
absl::StatusOr<Shard> ReadShard(const SqliteStatement& statement);
TaskResult ReadResult(const SqliteStatement& statement);
Lora ReadLora(const SqliteStatement& statement);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_STORE_SQLITE_ROWS_H_
