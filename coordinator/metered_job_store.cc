#include "coordinator/metered_job_store.h"

#include <utility>

#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Begins to measure when it is made and reports when it is committed; one that
// is dropped is not reported, as nothing was made durable.
class MeteredTransaction final : public JobTransaction {
 public:
  MeteredTransaction(std::unique_ptr<JobTransaction> transaction, Clock& clock,
                     Metrics& metrics)
      : transaction_(std::move(transaction)),
        clock_(clock),
        metrics_(metrics),
        begin_(clock.Now()) {}

  void PutJob(const Job& job) override { transaction_->PutJob(job); }
  void DeleteJob(const JobId& job) override { transaction_->DeleteJob(job); }
  void AddShard(const JobId& job, const Shard& shard,
                const std::string& payload) override {
    transaction_->AddShard(job, shard, payload);
  }
  void PutShard(const JobId& job, const Shard& shard) override {
    transaction_->PutShard(job, shard);
  }
  void AddResult(const ShardId& shard, const TaskResult& result) override {
    transaction_->AddResult(shard, result);
  }
  void AddConflict(const ShardId& shard, int64_t epoch,
                   const TaskResult& result) override {
    transaction_->AddConflict(shard, epoch, result);
  }
  std::optional<TaskResult> FindResult(const ShardId& shard,
                                       int32_t task) override {
    return transaction_->FindResult(shard, task);
  }
  // Failures count as well: a disk that is slow to fail is what an operator
  // wants to see.
  void PutLora(const Lora& lora) override { transaction_->PutLora(lora); }
  void DeleteLora(const std::string& name, const std::string& sha256) override {
    transaction_->DeleteLora(name, sha256);
  }
  void PinLora(const JobId& job, const LoraPin& pin) override {
    transaction_->PinLora(job, pin);
  }
  absl::Status Commit() override {
    const absl::Status status = transaction_->Commit();
    metrics_.ObserveTransaction(clock_.Now() - begin_);
    return status;
  }

 private:
  const std::unique_ptr<JobTransaction> transaction_;
  Clock& clock_;
  Metrics& metrics_;
  const absl::Time begin_;
};

}  // namespace

MeteredJobStore::MeteredJobStore(JobStore& store, Clock& clock,
                                 Metrics& metrics)
    : store_(store), clock_(clock), metrics_(metrics) {}

absl::StatusOr<std::unique_ptr<JobTransaction>> MeteredJobStore::Begin() {
  ASSIGN_OR_RETURN(std::unique_ptr<JobTransaction> transaction, store_.Begin());
  return std::make_unique<MeteredTransaction>(std::move(transaction), clock_,
                                              metrics_);
}

absl::StatusOr<std::vector<Job>> MeteredJobStore::LoadJobs() const {
  return store_.LoadJobs();
}

absl::StatusOr<std::vector<Shard>> MeteredJobStore::LoadShards(
    const JobId& job) const {
  return store_.LoadShards(job);
}

absl::StatusOr<std::string> MeteredJobStore::ReadPayload(
    const ShardId& shard) const {
  return store_.ReadPayload(shard);
}

absl::StatusOr<std::vector<TaskResult>> MeteredJobStore::ReadResults(
    const ShardId& shard) const {
  return store_.ReadResults(shard);
}

absl::StatusOr<int64_t> MeteredJobStore::CountConflicts(
    const JobId& job) const {
  return store_.CountConflicts(job);
}

absl::StatusOr<std::vector<Lora>> MeteredJobStore::LoadLoras() const {
  return store_.LoadLoras();
}

absl::StatusOr<std::vector<LoraPin>> MeteredJobStore::LoadLoraPins(
    const JobId& job) const {
  return store_.LoadLoraPins(job);
}

}  // namespace tessera::coordinator
