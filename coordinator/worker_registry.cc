#include "coordinator/worker_registry.h"

#include <algorithm>

namespace tessera::coordinator {
namespace {

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
  if (request.sequence < entry.sequence) return false;
  entry.sequence = request.sequence;
  Worker& worker = entry.worker;
  worker.id = request.worker;
  worker.info = request.info;
  worker.state = StateOf(request);
  worker.executing.reset();
  if (request.executing) worker.executing = request.executing->shard;
  worker.last_synchronize = now;
  return true;
}

void WorkerRegistry::AddImages(const WorkerId& worker, int64_t images) {
  const auto it = entries_.find(worker);
  if (it != entries_.end()) it->second.worker.images_done += images;
}

bool WorkerRegistry::AnyHasModel(const std::string& model,
                                 absl::Time now) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& named) {
    const std::vector<std::string>& models = named.second.worker.info.models;
    return !IsLost(named.second, now) &&
           std::find(models.begin(), models.end(), model) != models.end();
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
    if (IsLost(entry, now)) workers.back().state = WorkerState::kLost;
  }
  return workers;
}

void WorkerRegistry::Forget(absl::Time now) {
  std::erase_if(entries_, [&](const auto& named) {
    return now - named.second.worker.last_synchronize >= forget_after_;
  });
}

bool WorkerRegistry::IsLost(const Entry& entry, absl::Time now) const {
  return now - entry.worker.last_synchronize >= lost_after_;
}

}  // namespace tessera::coordinator
