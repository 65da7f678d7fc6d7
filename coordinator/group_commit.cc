#include "coordinator/group_commit.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "common/log.h"

namespace tessera::coordinator {

GroupCommit::GroupCommit(JobStore& store, std::function<absl::Status()> reload)
    : store_(store), reload_(std::move(reload)) {}

absl::Status GroupCommit::Run(Command command) {
  Call call{.command = command};
  std::deque<Call*> batch;
  {
    absl::MutexLock lock(&mu_);
    waiting_.push_back(&call);
    const auto ready = [&] {
      mu_.AssertReaderHeld();
      return call.done || !leading_;
    };
    mu_.Await(absl::Condition(&ready));
    if (call.done) return call.result;
    leading_ = true;
    batch.swap(waiting_);
  }
  RunBatch(batch);
  absl::MutexLock lock(&mu_);
  leading_ = false;
  for (Call* finished : batch) finished->done = true;
  return call.result;
}

void GroupCommit::RunBatch(const std::deque<Call*>& batch) {
  absl::Status status;
  if (must_reload_) status = reload_();
  if (status.ok()) {
    must_reload_ = false;
    absl::StatusOr<std::unique_ptr<JobTransaction>> transaction =
        store_.Begin();
    status = transaction.status();
    if (status.ok()) {
      for (Call* call : batch) call->result = call->command(**transaction);
      status = (*transaction)->Commit();
      must_reload_ = !status.ok();
    }
  }
  if (status.ok()) return;
  Log(Severity::kError, "job store failed", {{"error", status}});
  for (Call* call : batch) call->result = status;
}

}  // namespace tessera::coordinator
