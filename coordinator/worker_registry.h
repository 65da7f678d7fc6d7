// The worker processes that synchronize with this coordinator.
#ifndef TESSERA_COORDINATOR_WORKER_REGISTRY_H_
#define TESSERA_COORDINATOR_WORKER_REGISTRY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/ids.h"
#include "coordinator/job.h"
#include "coordinator/worker_protocol.h"

namespace tessera::coordinator {

// Remembers what each worker said last. Kept in memory only: after a restart
// workers introduce themselves with their next call. Thread-compatible.
class WorkerRegistry {
 public:
  // Workers silent for `lost_after` count as lost, for `forget_after` they are
  // dropped.
  WorkerRegistry(absl::Duration lost_after, absl::Duration forget_after);

  // Takes note of a call at `now`. Returns false, and changes nothing, for a
  // call older than the newest seen of that worker.
  bool Record(const SynchronizeRequest& request, absl::Time now);

  // Adds pictures that a worker committed.
  void AddImages(const WorkerId& worker, int64_t images);

  // Returns whether a worker that is not lost lists `model`.
  bool AnyHasModel(const std::string& model, absl::Time now) const;

  // Returns what the node of `worker` holds; empty for an unknown worker.
  const HeldLoras& HeldBy(const WorkerId& worker) const;

  // Returns whether another worker that is not lost holds all of `loras`.
  bool HeldByAnother(const WorkerId& worker, const LoraSet& loras,
                     absl::Time now) const;

  // Returns how many workers are not lost.
  int64_t CountLive(absl::Time now) const;

  // Lists the workers in order of id, lost ones included.
  std::vector<Worker> List(absl::Time now) const;

  // Drops workers that were silent too long.
  void Forget(absl::Time now);

 private:
  struct Entry {
    Worker worker;
    uint64_t sequence = 0;
    HeldLoras held;  // as info.held_loras
  };

  bool IsLost(const Entry& entry, absl::Time now) const;

  absl::Duration lost_after_;
  absl::Duration forget_after_;
  std::map<WorkerId, Entry> entries_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_WORKER_REGISTRY_H_
