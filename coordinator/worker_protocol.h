// The worker protocol's messages as plain values.
#ifndef TESSERA_COORDINATOR_WORKER_PROTOCOL_H_
#define TESSERA_COORDINATOR_WORKER_PROTOCOL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/ids.h"
#include "coordinator/job.h"
#include "coordinator/pipeline/group_messages.h"

namespace tessera::coordinator {

// What a worker says of itself. Without `executing` it is idle.
struct SynchronizeRequest {
  WorkerId worker;
  uint64_t sequence = 0;  // grows with every call of the worker
  WorkerInfo info;
  std::optional<Lease> executing;
  bool draining = false;
  std::optional<GroupReport> group;  // absent: it is in none
};

// A lease and what is needed to execute it.
struct Assignment {
  Lease lease;
  std::string model;
  std::string output_uri;
  std::string payload;                  // as handed in by AddShards
  int32_t pictures = 0;                 // tasks in the payload
  std::vector<int32_t> finished_tasks;  // ascending
  bool isolate = false;                 // one task at a time, commit each
  bool allow_unmatched_loras = false;   // as in JobHeader
  int32_t pipeline_stages = 1;          // likewise
  LoraSet prefetch_loras;  // what the worker's next shard will likely need
};

// Go on with what you are doing.
struct CarryOn {};

// Drop the current lease without committing more.
struct Stop {
  std::string reason;
};

struct SynchronizeReply {
  absl::Duration next_synchronization;
  std::variant<CarryOn, Assignment, Stop> desired;
  // The worker is idle and nothing was given to it: the call may be held until
  // there is work.
  bool may_wait = false;
  // The group that the worker is to be in; absent: none.
  std::optional<GroupAssignment> group;
};

// Finished tasks under a lease.
struct CommitRequest {
  WorkerId worker;
  Lease lease;
  std::vector<TaskResult> results;
  bool release = false;  // give the lease up after these results
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_WORKER_PROTOCOL_H_
