#include "coordinator/store/sqlite_rows.h"

#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Writes microseconds since 1970; InfinitePast, our "never", becomes NULL.
void BindTime(SqliteStatement& statement, int parameter, absl::Time time) {
  if (time == absl::InfinitePast()) {
    statement.BindNull(parameter);
  } else {
    statement.Bind(parameter, absl::ToUnixMicros(time));
  }
}

// Reads what BindTime wrote.
absl::Time ReadTime(const SqliteStatement& statement, int column) {
  return statement.IsNull(column) ? absl::InfinitePast()
                                  : absl::FromUnixMicros(statement.Int(column));
}

// Reads a JobState by number. Errors: DATA_LOSS for a number that this version
// has no state for, which a cast would turn into undefined behaviour.
absl::StatusOr<JobState> ReadState(const SqliteStatement& statement,
                                   int column) {
  const int64_t number = statement.Int(column);
  if (number < 0 || number > static_cast<int64_t>(JobState::kCancelled)) {
    return absl::DataLossError(
        absl::StrCat("job store: unknown job state: ", number));
  }
  return static_cast<JobState>(number);
}

// Writes attempts as "task:attempts:epoch", joined by commas. One column and no
// table: few tasks fail, and the row is rewritten with the shard anyway.
std::string AttemptsText(const std::vector<TaskAttempts>& attempts) {
  return absl::StrJoin(attempts, ",",
                       [](std::string* out, const TaskAttempts& entry) {
                         absl::StrAppend(out, entry.task, ":", entry.attempts,
                                         ":", entry.last_epoch);
                       });
}

// Reads what AttemptsText wrote; empty text is no attempts.
absl::StatusOr<std::vector<TaskAttempts>> ParseAttempts(
    const std::string& text) {
  std::vector<TaskAttempts> attempts;
  for (absl::string_view entry : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(entry, ':');
    TaskAttempts parsed;
    if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &parsed.task) ||
        !absl::SimpleAtoi(parts[1], &parsed.attempts) ||
        !absl::SimpleAtoi(parts[2], &parsed.last_epoch)) {
      return absl::DataLossError(
          absl::StrCat("job store: unreadable attempts: ", text));
    }
    attempts.push_back(parsed);
  }
  return attempts;
}

}  // namespace

void BindJob(SqliteStatement& statement, const Job& job) {
  // Parameters count from 1, so each number is the column's place in
  // kJobColumns; columns below are read from 0.
  statement.BindText(1, job.id.value())
      .Bind(2, job.number)
      .Bind(3, static_cast<int64_t>(job.state))
      .Bind(4, static_cast<int64_t>(job.outcome))
      .BindText(5, job.header.model)
      .BindText(6, job.header.output_uri)
      .Bind(7, int64_t{job.header.shard_size})
      .BindText(8, job.header.request_id)
      // SQLite's integers are signed: the same 64 bits go in and out.
      .Bind(9, static_cast<int64_t>(job.header.seed))
      .BindText(11, job.header.request_json)
      .Bind(12, job.images.total)
      .Bind(13, job.images.done)
      .Bind(14, job.images.failed)
      .Bind(15, job.images.cancelled)
      .Bind(16, job.lines)
      .Bind(17, job.shards)
      .Bind(18, job.shards_finished)
      .Bind(19, job.retries)
      .BindText(23, job.message)
      .Bind(24, int64_t{job.header.allow_unmatched_loras})
      // No warning holds a line feed.
      .BindText(25, absl::StrJoin(job.warnings, "\n"))
      .Bind(26, int64_t{job.header.pipeline_stages});
  if (job.header.max_failed_images) {
    // Absent and 0 differ: without a limit no number of failures ends a job.
    statement.Bind(10, *job.header.max_failed_images);
  } else {
    statement.BindNull(10);
  }
  BindTime(statement, 20, job.create_time);
  BindTime(statement, 21, job.start_time);
  BindTime(statement, 22, job.end_time);
}

absl::StatusOr<Job> ReadJob(const SqliteStatement& statement) {
  Job job;
  job.id = JobId(statement.Text(0));
  job.number = statement.Int(1);
  ASSIGN_OR_RETURN(job.state, ReadState(statement, 2));
  ASSIGN_OR_RETURN(job.outcome, ReadState(statement, 3));
  job.header.model = statement.Text(4);
  job.header.output_uri = statement.Text(5);
  job.header.shard_size = static_cast<int32_t>(statement.Int(6));
  job.header.request_id = statement.Text(7);
  job.header.seed = static_cast<uint64_t>(statement.Int(8));
  if (!statement.IsNull(9)) job.header.max_failed_images = statement.Int(9);
  job.header.request_json = statement.Text(10);
  job.images = {.total = statement.Int(11),
                .done = statement.Int(12),
                .failed = statement.Int(13),
                .cancelled = statement.Int(14)};
  job.lines = statement.Int(15);
  job.shards = statement.Int(16);
  job.shards_finished = statement.Int(17);
  job.retries = statement.Int(18);
  job.create_time = ReadTime(statement, 19);
  job.start_time = ReadTime(statement, 20);
  job.end_time = ReadTime(statement, 21);
  job.message = statement.Text(22);
  job.header.allow_unmatched_loras = statement.Int(23) != 0;
  job.warnings = absl::StrSplit(statement.Text(24), '\n', absl::SkipEmpty());
  job.header.pipeline_stages = static_cast<int32_t>(statement.Int(25));
  return job;
}

void BindShard(SqliteStatement& statement, const JobId& job,
               const Shard& shard) {
  statement.BindText(1, job.value())
      .Bind(2, shard.index)
      .Bind(3, shard.first_line)
      // From TaskSet, not from a field: the bitmap's size is the truth.
      .Bind(4, int64_t{shard.pictures()})
      .Bind(5, shard.epoch)
      // Empty, not NULL, when nobody holds it; a restart adopts the others.
      .BindText(6, shard.holder.value())
      .Bind(7, int64_t{shard.lost_leases})
      .Bind(8, int64_t{shard.failed})
      .BindBlob(9, shard.finished.Bytes())
      .BindText(10, AttemptsText(shard.attempts))
      .BindText(11, absl::StrJoin(shard.loras.get(), ","));
}

absl::StatusOr<Shard> ReadShard(const SqliteStatement& statement) {
  const int64_t pictures = statement.Int(3);
  // The set below allocates a bit a picture and checks its size, so a number
  // that cannot be must not reach it.
  if (pictures < 1 || pictures > INT32_MAX) {
    return absl::DataLossError(
        absl::StrCat("job store: shard with pictures: ", pictures));
  }
  Shard shard{
      .index = statement.Int(1),
      .first_line = statement.Int(2),
      .epoch = statement.Int(4),
      .holder = WorkerId(statement.Text(5)),
      .lost_leases = static_cast<int32_t>(statement.Int(6)),
      .failed = static_cast<int32_t>(statement.Int(7)),
      .finished = TaskSet(static_cast<int32_t>(pictures), statement.Text(8))};
  ASSIGN_OR_RETURN(shard.attempts, ParseAttempts(statement.Text(9)));
  shard.loras =
      SharedLoraSet(absl::StrSplit(statement.Text(10), ',', absl::SkipEmpty()));
  return shard;
}

void BindResult(SqliteStatement& statement, const ShardId& shard,
                const TaskResult& result) {
  statement.BindText(1, shard.job.value())
      .Bind(2, shard.index)
      .Bind(3, int64_t{result.task});
  if (const auto* failure = std::get_if<TaskFailure>(&result.outcome)) {
    statement.BindText(4, failure->code).BindText(5, failure->reason);
    // NULL columns also tell the two kinds of rows apart when reading.
    return;  // the others stay NULL
  }
  const auto& image = std::get<ImageRecord>(result.outcome);
  statement.BindText(6, image.custom_id)
      .Bind(7, int64_t{image.index})
      .Bind(8, static_cast<int64_t>(image.seed))
      .BindText(9, image.path)
      .BindText(10, image.sha256)
      .Bind(11, int64_t{image.width})
      .Bind(12, int64_t{image.height})
      .BindText(13, image.worker)
      .Bind(14, image.seconds);
}

TaskResult ReadResult(const SqliteStatement& statement) {
  TaskResult result{.task = static_cast<int32_t>(statement.Int(2))};
  // A failure always has a code; only pictures leave it NULL.
  if (!statement.IsNull(3)) {
    result.outcome = TaskFailure{statement.Text(3), statement.Text(4)};
    return result;
  }
  result.outcome =
      ImageRecord{.custom_id = statement.Text(5),
                  .index = static_cast<int32_t>(statement.Int(6)),
                  .seed = static_cast<uint64_t>(statement.Int(7)),
                  .path = statement.Text(8),
                  .sha256 = statement.Text(9),
                  .width = static_cast<int32_t>(statement.Int(10)),
                  .height = static_cast<int32_t>(statement.Int(11)),
                  .worker = statement.Text(12),
                  .seconds = statement.Real(13)};
  return result;
}

void BindLora(SqliteStatement& statement, const Lora& lora) {
  statement.BindText(1, lora.name)
      .BindText(2, lora.sha256)
      .Bind(3, lora.size_bytes)
      .BindText(4, lora.facts.dialect)
      .Bind(5, int64_t{lora.facts.layers})
      .Bind(6, absl::ToUnixMicros(lora.create_time))
      .Bind(7, lora.number);
}

Lora ReadLora(const SqliteStatement& statement) {
  return {.name = statement.Text(0),
          .sha256 = statement.Text(1),
          .size_bytes = statement.Int(2),
          .facts = {.dialect = statement.Text(3),
                    .layers = static_cast<int32_t>(statement.Int(4))},
          .create_time = absl::FromUnixMicros(statement.Int(5)),
          .number = statement.Int(6)};
}

}  // namespace tessera::coordinator
