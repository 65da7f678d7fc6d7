#include "coordinator/store/memory_job_store.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"

namespace tessera::coordinator {

// Collects the changes and applies them all under one lock.
// Borrows `store`, which outlives it.
class MemoryJobStore::Transaction final : public JobTransaction {
 public:
  explicit Transaction(MemoryJobStore& store) : store_(store) {}

  void PutJob(const Job& job) override {
    // Changes hold copies: the caller goes on changing its job before Commit.
    Change([job](Jobs& jobs) {
      jobs[job.id].job = job;
      // The rate is an observation, not a fact; a database has no column for
      // it.
      jobs[job.id].job.images_per_second = 0;
    });
  }

  void DeleteJob(const JobId& job) override {
    Change([job](Jobs& jobs) { jobs.erase(job); });
  }

  void AddShard(const JobId& job, const Shard& shard,
                const std::string& payload) override {
    Change([job, shard, payload](Jobs& jobs) {
      jobs[job].shards[shard.index] = {shard, payload, {}};
    });
  }

  void PutShard(const JobId& job, const Shard& shard) override {
    Change([job, shard](Jobs& jobs) {
      jobs[job].shards[shard.index].shard = shard;
    });
  }

  void AddResult(const ShardId& shard, const TaskResult& result) override {
    // Kept twice, so that FindResult sees it before the commit.
    added_[{shard, result.task}] = result;
    Change([shard, result](Jobs& jobs) {
      jobs[shard.job].shards[shard.index].results[result.task] = result;
    });
  }

  void AddConflict(const ShardId& shard, int64_t epoch,
                   const TaskResult& result) override {
    // Only the number can be read back, so only the number is kept.
    Change([shard](Jobs& jobs) { jobs[shard.job].conflicts += 1; });
  }

  std::optional<TaskResult> FindResult(const ShardId& shard,
                                       int32_t task) override {
    const auto added = added_.find({shard, task});
    // The store's lock is taken for each read; nothing is held between calls,
    // so readers go on while a transaction lives.
    if (added != added_.end()) return added->second;
    absl::MutexLock lock(&store_.mu_);
    const StoredShard* stored = store_.Find(shard);
    if (stored == nullptr) return std::nullopt;
    const auto it = stored->results.find(task);
    if (it == stored->results.end()) return std::nullopt;
    return it->second;
  }

  void PutLora(const Lora& lora) override {
    lora_changes_.push_back([lora](Loras& loras) {
      loras[{lora.name, lora.sha256}] = lora;
    });
  }

  void DeleteLora(const std::string& name, const std::string& sha256) override {
    lora_changes_.push_back([name, sha256](Loras& loras) {
      loras.erase({name, sha256});
    });
  }

  void PinLora(const JobId& job, const LoraPin& pin) override {
    Change([job, pin](Jobs& jobs) { jobs[job].pins.insert(pin); });
  }

  absl::Status Commit() override {
    absl::MutexLock lock(&store_.mu_);
    // Cannot fail, and readers see either none of the changes or all of them.
    for (const auto& change : changes_) change(store_.jobs_);
    for (const auto& change : lora_changes_) change(store_.loras_);
    changes_.clear();
    lora_changes_.clear();
    return absl::OkStatus();
  }

 private:
  using Jobs = std::map<JobId, StoredJob>;
  using Loras = std::map<LoraName, Lora>;

  // Defers `change` until Commit; a transaction that is destroyed before drops
  // what it collected and has thereby undone it.
  void Change(std::function<void(Jobs&)> change) {
    changes_.push_back(std::move(change));
  }

  MemoryJobStore& store_;
  // In order of calls: a later PutJob wins over an earlier one.
  std::vector<std::function<void(Jobs&)>> changes_;
  // Apart from those of jobs, as neither kind looks at the other.
  std::vector<std::function<void(Loras&)>> lora_changes_;
  std::map<std::pair<ShardId, int32_t>, TaskResult> added_;
};

absl::StatusOr<std::unique_ptr<JobTransaction>> MemoryJobStore::Begin() {
  return std::make_unique<Transaction>(*this);
}

absl::StatusOr<std::vector<Job>> MemoryJobStore::LoadJobs() const {
  absl::MutexLock lock(&mu_);
  std::vector<Job> jobs;
  for (const auto& [id, stored] : jobs_) jobs.push_back(stored.job);
  // Orders by number: the map is in order of ids, which are random.
  std::sort(jobs.begin(), jobs.end(),
            [](const Job& a, const Job& b) { return a.number < b.number; });
  return jobs;
}

absl::StatusOr<std::vector<Shard>> MemoryJobStore::LoadShards(
    const JobId& job) const {
  absl::MutexLock lock(&mu_);
  std::vector<Shard> shards;
  // An unknown job has no shards; that is an answer, not an error.
  const auto it = jobs_.find(job);
  if (it == jobs_.end()) return shards;
  for (const auto& [index, stored] : it->second.shards) {
    shards.push_back(stored.shard);
  }
  return shards;
}

absl::StatusOr<std::string> MemoryJobStore::ReadPayload(
    const ShardId& shard) const {
  absl::MutexLock lock(&mu_);
  const StoredShard* stored = Find(shard);
  if (stored == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("unknown shard: ", shard.job.value(), " ", shard.index));
  }
  return stored->payload;
}

absl::StatusOr<std::vector<TaskResult>> MemoryJobStore::ReadResults(
    const ShardId& shard) const {
  absl::MutexLock lock(&mu_);
  std::vector<TaskResult> results;
  const StoredShard* stored = Find(shard);
  if (stored == nullptr) return results;
  for (const auto& [task, result] : stored->results) results.push_back(result);
  return results;
}

absl::StatusOr<int64_t> MemoryJobStore::CountConflicts(const JobId& job) const {
  absl::MutexLock lock(&mu_);
  const auto it = jobs_.find(job);
  return it == jobs_.end() ? 0 : it->second.conflicts;
}

absl::StatusOr<std::vector<Lora>> MemoryJobStore::LoadLoras() const {
  absl::MutexLock lock(&mu_);
  std::vector<Lora> loras;
  for (const auto& [name, lora] : loras_) loras.push_back(lora);
  std::sort(loras.begin(), loras.end(),
            [](const Lora& a, const Lora& b) { return a.number < b.number; });
  return loras;
}

absl::StatusOr<std::vector<LoraPin>> MemoryJobStore::LoadLoraPins(
    const JobId& job) const {
  absl::MutexLock lock(&mu_);
  const auto it = jobs_.find(job);
  if (it == jobs_.end()) return std::vector<LoraPin>();
  const std::set<LoraPin>& pins = it->second.pins;
  return std::vector<LoraPin>(pins.begin(), pins.end());
}

// Points into `jobs_`: valid only while the caller holds `mu_`.
const MemoryJobStore::StoredShard* MemoryJobStore::Find(
    const ShardId& shard) const {
  const auto job = jobs_.find(shard.job);
  if (job == jobs_.end()) return nullptr;
  const auto it = job->second.shards.find(shard.index);
  return it == job->second.shards.end() ? nullptr : &it->second;
}

}  // namespace tessera::coordinator
