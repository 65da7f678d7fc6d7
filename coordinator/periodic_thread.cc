#include "coordinator/periodic_thread.h"

#include <utility>

namespace tessera::coordinator {

PeriodicThread::PeriodicThread(Clock& clock, absl::Duration interval,
                               std::function<void()> work)
    : clock_(clock),
      interval_(interval),
      work_(std::move(work)),
      // The last member: the thread may use all others at once.
      thread_([this] { Loop(); }) {}

PeriodicThread::~PeriodicThread() { Stop(); }

void PeriodicThread::Stop() {
  {
    absl::MutexLock lock(&mu_);
    // Wakes a wait that is under way, as it is the condition waited for.
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void PeriodicThread::Loop() {
  bool stopped = false;
  while (!stopped) {
    // Without the lock, so that Stop can say what it wants meanwhile.
    work_();
    absl::MutexLock lock(&mu_);
    stopped =
        // Through the clock, so that tests decide when time passes. The
        // interval counts from the end of the work: slow work does not pile up.
        clock_.AwaitWithTimeout(mu_, absl::Condition(&stopping_), interval_);
  }
}

}  // namespace tessera::coordinator
