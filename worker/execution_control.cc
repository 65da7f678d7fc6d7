#include "worker/execution_control.h"

namespace tessera::worker {

ExecutionControl::ExecutionControl(Clock& clock) : clock_(clock) {}

// Wakes nobody: the executor looks between two steps.
void ExecutionControl::Drain() {
  absl::MutexLock lock(&mu_);
  draining_ = true;
}

// Wakes a wait for a full disk, whose condition is this flag.
void ExecutionControl::Stop() {
  absl::MutexLock lock(&mu_);
  stopped_ = true;
}

bool ExecutionControl::draining() const {
  absl::MutexLock lock(&mu_);
  return draining_;
}

bool ExecutionControl::stopped() const {
  absl::MutexLock lock(&mu_);
  return stopped_;
}

// Ignores a drain: the picture at hand is still to be written.
bool ExecutionControl::WaitUnlessStopped(absl::Duration duration) {
  absl::MutexLock lock(&mu_);
  // Reads the clock that was injected, so that tests do not wait.
  return !clock_.AwaitWithTimeout(mu_, absl::Condition(&stopped_), duration);
}

}  // namespace tessera::worker
