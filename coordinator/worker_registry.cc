#include "coordinator/worker_registry.h"

#include <algorithm>

namespace tessera::coordinator {
namespace {

// Says what a worker does, for people; draining wins, as it is what will end.
WorkerState StateOf(const SynchronizeRequest& request) {
  if (request.draining) return WorkerState::kDraining;
  return request.executing ? WorkerState::kExecuting : WorkerState::kIdle;
}

}  // namespace

WorkerRegistry::WorkerRegistry(absl::Duration lost_after,
                               absl::Duration forget_after)
    : lost_after_(lost_after), forget_after_(forget_after) {}

bool WorkerRegistry::Record(const SynchronizeRequest& request, absl::Time now) {
  Entry& entry = entries_[request.worker];
  // A repeat has the same number and is taken: a call that was held and asks
  // again must be answered. Numbers start anew only with a new process, which
  // has a new id.
  if (request.sequence < entry.sequence) return false;
  entry.sequence = request.sequence;
  Worker& worker = entry.worker;
  worker.id = request.worker;
  worker.info = request.info;
  entry.held = {request.info.held_loras.begin(), request.info.held_loras.end()};
  worker.state = StateOf(request);
  worker.executing.reset();
  // The shard alone: whether the lease is valid is the lease table's to say.
  if (request.executing) worker.executing = request.executing->shard;
  worker.last_synchronize = now;
  return true;
}

// A worker that was forgotten, or not seen since a restart, has no count; its
// pictures are counted by the job all the same.
void WorkerRegistry::AddImages(const WorkerId& worker, int64_t images) {
  const auto it = entries_.find(worker);
  if (it != entries_.end()) it->second.worker.images_done += images;
}

bool WorkerRegistry::AnyHasModel(const std::string& model,
                                 absl::Time now) const {
  // A lost worker may come back, but nobody should wait for it.
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& named) {
    const std::vector<std::string>& models = named.second.worker.info.models;
    return !IsLost(named.second, now) &&
           std::find(models.begin(), models.end(), model) != models.end();
  });
}

const HeldLoras& WorkerRegistry::HeldBy(const WorkerId& worker) const {
  static const HeldLoras* const nothing = new HeldLoras;
  const auto it = entries_.find(worker);
  return it == entries_.end() ? *nothing : it->second.held;
}

bool WorkerRegistry::HeldByAnother(const WorkerId& worker, const LoraSet& loras,
                                   absl::Time now) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& named) {
    const Entry& entry = named.second;
    return named.first != worker && !IsLost(entry, now) &&
           std::all_of(loras.begin(), loras.end(),
                       [&](const std::string& lora) {
                         return entry.held.contains(lora);
                       });
  });
}

int64_t WorkerRegistry::CountLive(absl::Time now) const {
  return std::count_if(
      entries_.begin(), entries_.end(),
      [&](const auto& named) { return !IsLost(named.second, now); });
}

std::vector<Worker> WorkerRegistry::List(absl::Time now) const {
  std::vector<Worker> workers;
  for (const auto& [id, entry] : entries_) {
    workers.push_back(entry.worker);
    // Told when asked, not stored: being lost is a matter of time alone.
    if (IsLost(entry, now)) workers.back().state = WorkerState::kLost;
  }
  return workers;
}

// Keeps the table small in clusters whose workers get new ids at each start.
void WorkerRegistry::Forget(absl::Time now) {
  std::erase_if(entries_, [&](const auto& named) {
    return now - named.second.worker.last_synchronize >= forget_after_;
  });
}

// As long as a lease: a worker that is not lost may hold one.
bool WorkerRegistry::IsLost(const Entry& entry, absl::Time now) const {
  return now - entry.worker.last_synchronize >= lost_after_;
}

}  // namespace tessera::coordinator
