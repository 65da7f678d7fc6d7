// A thread that does something again and again until it is stopped.
#ifndef TESSERA_COORDINATOR_PERIODIC_THREAD_H_
#define TESSERA_COORDINATOR_PERIODIC_THREAD_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tessera::coordinator {

// Calls `work`, waits `interval`, and so on. Thread-safe.
class PeriodicThread {
 public:
  // `clock` must outlive the thread.
  PeriodicThread(Clock& clock, absl::Duration interval,
                 std::function<void()> work);

  // Stops.
  ~PeriodicThread();

  // Waits for the running call of `work`; it is not called again. Must not be
  // called by two threads at once.
  void Stop();

 private:
  void Loop();

  Clock& clock_;
  const absl::Duration interval_;
  const std::function<void()> work_;
  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_PERIODIC_THREAD_H_
