#include "worker/execution_control.h"

namespace tessera::worker {

ExecutionControl::ExecutionControl(Clock& clock) : clock_(clock) {}

void ExecutionControl::Drain() {
  absl::MutexLock lock(&mu_);
  draining_ = true;
}

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

bool ExecutionControl::WaitUnlessStopped(absl::Duration duration) {
  absl::MutexLock lock(&mu_);
  return !clock_.AwaitWithTimeout(mu_, absl::Condition(&stopped_), duration);
}

}  // namespace tessera::worker
