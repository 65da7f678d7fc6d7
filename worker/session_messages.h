// What a worker and the coordinator say to each other, as plain data.
//
// These mirror tessera/internal/v1/worker_service.proto; codec.h converts.
#ifndef TESSERA_WORKER_SESSION_MESSAGES_H_
#define TESSERA_WORKER_SESSION_MESSAGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "worker/assignment.h"
#include "worker/group_messages.h"

namespace tessera::worker {

// What a worker says about itself, the same in every call.
struct WorkerFacts {
  std::string worker_id;  // new at every start of the process
  std::string host;
  std::string device;  // "cpu" or "cuda:0"
  int threads = 0;
  std::string version;
  std::vector<std::string> models;  // names of the folders it can load
  int batch = 0;  // pictures it puts through the UNet together
};

// A Synchronize call: what the worker is doing.
struct SynchronizeCall {
  uint64_t sequence = 0;       // grows with every call
  std::optional<Lease> lease;  // executing; idle when absent
  int64_t tasks_finished = 0;  // of the lease: committed or waiting to be
  bool draining = false;
  // Digests of the LoRAs that the node holds, those used last first.
  std::vector<std::string> held_loras;
  // Of the pipeline group that the worker is in; absent: none.
  std::optional<GroupStatus> group;
};

// Go on with what you do, or stay idle.
struct CarryOn {};

// Drop the lease without committing more.
struct StopLease {
  std::string reason;
};

// The answer: what the worker is to do next.
struct SynchronizeAnswer {
  absl::Duration next_synchronization;
  // An assignment of another lease takes the place of the one at hand.
  std::variant<CarryOn, Assignment, StopLease> desired;
  // The pipeline group that the worker is to be in; absent: none.
  std::optional<GroupOrder> group;
};

// A CommitResults call.
struct CommitCall {
  Lease lease;
  std::vector<TaskResult> results;
  bool release = false;  // gives the lease up after these results
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_SESSION_MESSAGES_H_
