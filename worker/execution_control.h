// How a session tells a running executor to end early.
#ifndef TESSERA_WORKER_EXECUTION_CONTROL_H_
#define TESSERA_WORKER_EXECUTION_CONTROL_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tessera::worker {

// One execution's orders. Thread-safe.
class ExecutionControl {
 public:
  explicit ExecutionControl(Clock& clock);

  // Asks to finish the pictures in flight and begin no other.
  void Drain();
  // Asks to drop everything at once.
  void Stop();

  // Are read by the executor between two steps.
  bool draining() const;
  bool stopped() const;

  // Waits for `duration`, or less when stopped. Returns whether to go on.
  bool WaitUnlessStopped(absl::Duration duration);

 private:
  Clock& clock_;
  mutable absl::Mutex mu_;
  // Stays true: an execution that drains cannot be told to go on.
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_EXECUTION_CONTROL_H_
