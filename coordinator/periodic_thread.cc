#include "coordinator/periodic_thread.h"

#include <utility>

namespace tessera::coordinator {

PeriodicThread::PeriodicThread(Clock& clock, absl::Duration interval,
                               std::function<void()> work)
    : clock_(clock),
      interval_(interval),
      work_(std::move(work)),
      thread_([this] { Loop(); }) {}

PeriodicThread::~PeriodicThread() { Stop(); }

void PeriodicThread::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void PeriodicThread::Loop() {
  bool stopped = false;
  while (!stopped) {
    work_();
    absl::MutexLock lock(&mu_);
    stopped =
        clock_.AwaitWithTimeout(mu_, absl::Condition(&stopping_), interval_);
  }
}

}  // namespace tessera::coordinator
