// What the coordinator knows of jobs, shards and workers, as plain values.
//
// These types hold no proto and no SQL: the service's codec and the stores
// translate them.
#ifndef TESSERA_COORDINATOR_JOB_H_
#define TESSERA_COORDINATOR_JOB_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/ids.h"
#include "coordinator/lora_set.h"
#include "coordinator/task_set.h"

namespace tessera::coordinator {

// Where a job stands; job_state.h has the legal changes. Stores keep the
// number: new states go to the end.
enum class JobState {
  kCreating,   // prompts are still being received
  kQueued,     // accepted, no shard leased yet
  kRunning,    // a shard has been leased
  kSealing,    // every picture ended; the manifest is written
  kSucceeded,  // sealed; failed pictures, if any, are listed
  kFailed,     // sealed; more pictures failed than allowed
  kCancelled,  // sealed after a cancel
};

// What a client asks for; never changes after BeginJob.
struct JobHeader {
  std::string model;
  std::string output_uri;  // absolute folder, or file:///folder
  int32_t shard_size = 64;
  std::string request_id;  // empty: none
  uint64_t seed = 0;
  std::optional<int64_t> max_failed_images;  // absent: no limit
  // Keys of a LoRA that fit no layer of the model are left out instead of
  // failing its pictures.
  bool allow_unmatched_loras = false;
  // Workers that run the UNet together; 1: each runs it alone.
  int32_t pipeline_stages = 1;
  // JSON object for job.json: what was asked, as the service decoded it.
  // Empty: an empty object.
  std::string request_json;
};

// How many pictures of a job stand where.
struct ImageCounts {
  int64_t total = 0;
  int64_t done = 0;
  int64_t failed = 0;
  int64_t cancelled = 0;

  int64_t waiting() const { return total - done - failed - cancelled; }
  friend bool operator==(const ImageCounts&, const ImageCounts&) = default;
};

struct Job {
  JobId id;
  int64_t number = 0;  // order of creation, from 1
  JobHeader header;
  JobState state = JobState::kCreating;
  // The state that follows the seal; kSucceeded until something else is known.
  JobState outcome = JobState::kSucceeded;
  ImageCounts images;
  int64_t lines = 0;
  int64_t shards = 0;
  int64_t shards_finished = 0;
  int64_t retries = 0;  // leases that were lost
  absl::Time create_time = absl::InfinitePast();
  absl::Time start_time = absl::InfinitePast();  // first lease; or never
  absl::Time end_time = absl::InfinitePast();    // sealed; or never
  std::string message;                // why it failed or waits, for a person
  std::vector<std::string> warnings;  // what else a user should know
  double images_per_second = 0;       // over the last minute; not stored
};

// A shard as it is handed in. `payload` is opaque to the coordinator's core.
struct ShardDraft {
  int64_t first_line = 0;  // line of its first picture
  int32_t pictures = 0;    // tasks in the payload, at least 1
  LoraSet loras;           // registered ones, that all its tasks use
  std::string payload;
};

// Attempts at a task that ended in a failure worth another try.
struct TaskAttempts {
  int32_t task = 0;
  int32_t attempts = 0;
  int64_t last_epoch = 0;  // the lease of the last one: counts once a lease

  friend bool operator==(const TaskAttempts&, const TaskAttempts&) = default;
};

// The progress of one shard; its payload and results stay in the store.
struct Shard {
  int64_t index = 0;  // within the job, from 0
  int64_t first_line = 0;
  int64_t epoch = 0;        // of the newest lease; 0 before the first
  WorkerId holder;          // empty: not leased
  int32_t lost_leases = 0;  // since the last progress
  int32_t failed = 0;       // of the finished tasks
  SharedLoraSet loras;      // what a worker should hold
  TaskSet finished;         // tasks done or failed for good
  std::vector<TaskAttempts> attempts;

  int32_t pictures() const { return finished.size(); }
  int32_t done() const { return finished.Count() - failed; }
  bool complete() const { return finished.full(); }
  friend bool operator==(const Shard&, const Shard&) = default;
};

// The right to execute a shard; `epoch` grows with every grant of the shard.
struct Lease {
  ShardId shard;
  int64_t epoch = 0;

  friend bool operator==(const Lease&, const Lease&) = default;
};

// A finished picture: one line of the manifest.
struct ImageRecord {
  std::string custom_id;
  int32_t index = 0;  // which picture of its line
  uint64_t seed = 0;
  std::string path;    // relative to the output folder
  std::string sha256;  // lower-case hexadecimal
  int32_t width = 0;
  int32_t height = 0;
  std::string worker;
  double seconds = 0;

  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

// Why a task has no picture. `code` is a canonical status code's name, or
// "WORKER_LOST".
struct TaskFailure {
  std::string code;
  std::string reason;

  friend bool operator==(const TaskFailure&, const TaskFailure&) = default;
};

// What became of one task.
struct TaskResult {
  int32_t task = 0;  // index into the shard's tasks
  std::variant<ImageRecord, TaskFailure> outcome;
  std::vector<std::string> warnings;  // for the job; not stored with the task

  friend bool operator==(const TaskResult&, const TaskResult&) = default;
};

// Where a task came from; read from a shard's payload.
struct TaskIdentity {
  int64_t line = 0;
  std::string custom_id;
  int32_t index = 0;
};

enum class WorkerState { kIdle, kExecuting, kDraining, kLost };

// What a worker tells of itself.
struct WorkerInfo {
  std::string host;
  std::string device;
  int32_t threads = 0;
  std::string version;
  std::vector<std::string> models;
  int32_t batch = 0;
  std::vector<std::string> held_loras;  // by digest, those used last first
};

// A worker process that has synchronized since the coordinator started.
struct Worker {
  WorkerId id;
  WorkerInfo info;
  WorkerState state = WorkerState::kIdle;
  std::optional<ShardId> executing;
  int64_t images_done = 0;
  std::string group;  // of a pipeline; empty: none
  int32_t group_rank = 0;
  absl::Time last_synchronize = absl::InfinitePast();
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_JOB_H_
