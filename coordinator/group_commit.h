// One store transaction, and one fsync, for calls that arrive together.
#ifndef TESSERA_COORDINATOR_GROUP_COMMIT_H_
#define TESSERA_COORDINATOR_GROUP_COMMIT_H_

#include <deque>
#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/store/job_store.h"

namespace tessera::coordinator {

// Runs commands one at a time, in order of arrival, and answers each after the
// transaction it ran in is committed.
//
// There is no thread of its own: of the callers that wait, the first becomes
// the leader, runs the commands of all that came before it started, commits
// once and wakes the others. Commands may therefore run on another caller's
// thread; state that only commands touch needs no lock. Nothing blocking
// happens under the mutex.
class GroupCommit {
 public:
  using Command = absl::FunctionRef<absl::Status(JobTransaction&)>;

  // `reload` reads memory anew from the store; it runs like a command after a
  // commit failed, because commands changed memory that the store did not.
  GroupCommit(JobStore& store, std::function<absl::Status()> reload);

  // Returns the command's own error, for which it must have changed nothing,
  // or else that of the commit. Thread-safe.
  absl::Status Run(Command command);

 private:
  struct Call {
    Command command;
    absl::Status result;
    bool done = false;
  };

  void RunBatch(const std::deque<Call*>& batch);

  JobStore& store_;
  const std::function<absl::Status()> reload_;
  bool must_reload_ = false;  // touched by the leader only

  absl::Mutex mu_;
  bool leading_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<Call*> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_GROUP_COMMIT_H_
