// A job store whose commits, payloads and results fail when a test says so.
#ifndef TESSERA_TESTS_UNIT_COORDINATOR_FAILING_JOB_STORE_H_
#define TESSERA_TESTS_UNIT_COORDINATOR_FAILING_JOB_STORE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status_macros.h"
#include "coordinator/store/job_store.h"
#include "coordinator/store/memory_job_store.h"

namespace tessera::coordinator {

// A memory store that can lose its disk. Thread-compatible.
class FailingJobStore final : public JobStore {
 public:
  // From now on commits answer `status` and change nothing, unless it is OK.
  void FailCommits(absl::Status status) { failure_ = std::move(status); }

  // From now on the payload of `id` reads as `payload`.
  void ReplacePayload(const ShardId& id, absl::StatusOr<std::string> payload) {
    payloads_.insert_or_assign(id, std::move(payload));
  }
  void RestorePayloads() { payloads_.clear(); }

  // From now on the results of `id` end in `stray`, which nobody committed.
  void AddStray(const ShardId& id, TaskResult stray) {
    strays_.insert_or_assign(id, std::move(stray));
  }

  // Returns how many commits were tried.
  int commits() const { return commits_; }

  absl::StatusOr<std::unique_ptr<JobTransaction>> Begin() override {
    return std::make_unique<Transaction>(*this, store_.Begin().value());
  }
  absl::StatusOr<std::vector<Job>> LoadJobs() const override {
    return store_.LoadJobs();
  }
  absl::StatusOr<std::vector<Shard>> LoadShards(
      const JobId& job) const override {
    return store_.LoadShards(job);
  }
  absl::StatusOr<std::string> ReadPayload(const ShardId& id) const override {
    const auto replaced = payloads_.find(id);
    return replaced == payloads_.end() ? store_.ReadPayload(id)
                                       : replaced->second;
  }
  absl::StatusOr<std::vector<TaskResult>> ReadResults(
      const ShardId& id) const override {
    ASSIGN_OR_RETURN(std::vector<TaskResult> results, store_.ReadResults(id));
    const auto strays = strays_.find(id);
    if (strays != strays_.end()) results.push_back(strays->second);
    return results;
  }
  absl::StatusOr<int64_t> CountConflicts(const JobId& job) const override {
    return store_.CountConflicts(job);
  }
  absl::StatusOr<std::vector<Lora>> LoadLoras() const override {
    return store_.LoadLoras();
  }
  absl::StatusOr<std::vector<LoraPin>> LoadLoraPins(
      const JobId& job) const override {
    return store_.LoadLoraPins(job);
  }

 private:
  class Transaction final : public JobTransaction {
   public:
    Transaction(FailingJobStore& store, std::unique_ptr<JobTransaction> inner)
        : store_(store), inner_(std::move(inner)) {}
    void PutJob(const Job& job) override { inner_->PutJob(job); }
    void DeleteJob(const JobId& job) override { inner_->DeleteJob(job); }
    void AddShard(const JobId& job, const Shard& shard,
                  const std::string& payload) override {
      inner_->AddShard(job, shard, payload);
    }
    void PutShard(const JobId& job, const Shard& shard) override {
      inner_->PutShard(job, shard);
    }
    void AddResult(const ShardId& id, const TaskResult& result) override {
      inner_->AddResult(id, result);
    }
    void AddConflict(const ShardId& id, int64_t epoch,
                     const TaskResult& result) override {
      inner_->AddConflict(id, epoch, result);
    }
    std::optional<TaskResult> FindResult(const ShardId& id,
                                         int32_t task) override {
      return inner_->FindResult(id, task);
    }
    void PutLora(const Lora& lora) override { inner_->PutLora(lora); }
    void DeleteLora(const std::string& name,
                    const std::string& sha256) override {
      inner_->DeleteLora(name, sha256);
    }
    void PinLora(const JobId& job, const LoraPin& pin) override {
      inner_->PinLora(job, pin);
    }
    absl::Status Commit() override {
      ++store_.commits_;
      return store_.failure_.ok() ? inner_->Commit() : store_.failure_;
    }

   private:
    FailingJobStore& store_;
    std::unique_ptr<JobTransaction> inner_;
  };

  MemoryJobStore store_;
  absl::Status failure_;
  std::map<ShardId, absl::StatusOr<std::string>> payloads_;
  std::map<ShardId, TaskResult> strays_;
  int commits_ = 0;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_TESTS_UNIT_COORDINATOR_FAILING_JOB_STORE_H_
