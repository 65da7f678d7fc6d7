#include "coordinator/group_commit.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "common/log.h"

namespace tessera::coordinator {

GroupCommit::GroupCommit(JobStore& store, std::function<absl::Status()> reload)
    : store_(store), reload_(std::move(reload)) {}

absl::Status GroupCommit::Run(Command command) {
  // On the stack of its caller, who does not return before it is done.
  Call call{.command = command};
  std::deque<Call*> batch;
  {
    absl::MutexLock lock(&mu_);
    waiting_.push_back(&call);
    // Woken when it is served, or when it is up to this caller to lead.
    const auto ready = [&] {
      mu_.AssertReaderHeld();
      return call.done || !leading_;
    };
    mu_.Await(absl::Condition(&ready));
    // Another caller led; its result was written before `done`.
    if (call.done) return call.result;
    leading_ = true;
    // Everybody who came until now shares the transaction; who comes later
    // waits for the next. So groups grow by themselves as the disk slows.
    batch.swap(waiting_);
  }
  // Without the mutex: it blocks on the store, and callers must be able to
  // queue up. `leading_` keeps a second leader out.
  RunBatch(batch);
  absl::MutexLock lock(&mu_);
  leading_ = false;
  // Read by callers that wait under the mutex; their calls may be gone as soon
  // as it is released.
  for (Call* finished : batch) finished->done = true;
  return call.result;
}

// Runs each command in a transaction that all share, and answers with its
// commit. Called by one leader at a time.
void GroupCommit::RunBatch(const std::deque<Call*>& batch) {
  absl::Status status;
  // Memory may hold what the last commit lost; no command may see that.
  if (must_reload_) status = reload_();
  if (status.ok()) {
    must_reload_ = false;
    absl::StatusOr<std::unique_ptr<JobTransaction>> transaction =
        store_.Begin();
    status = transaction.status();
    if (status.ok()) {
      // A command that returns an error has written nothing, so the others of
      // its group are not spoilt by it.
      for (Call* call : batch) call->result = call->command(**transaction);
      status = (*transaction)->Commit();
      // The commands' changes of memory are wrong now; the next group repairs
      // them first, when the store may answer again.
      must_reload_ = !status.ok();
    }
  }
  if (status.ok()) return;
  Log(Severity::kError, "job store failed", {{"error", status}});
  // The error replaces results that were OK: none of them is durable (I2).
  for (Call* call : batch) call->result = status;
}

}  // namespace tessera::coordinator
