// What a device adds that has memory and a queue of its own.
#ifndef TESSERA_KERNELS_DEVICE_BACKEND_H_
#define TESSERA_KERNELS_DEVICE_BACKEND_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/memory.h"

namespace tessera::kernels {

// Work that was recorded once and can be queued again at little cost. Holds
// the addresses and the numbers that the ops were given. Thread-compatible.
class Recording {
 public:
  virtual ~Recording() = default;

  // Queues the whole of it. Errors: what is wrong with the device.
  virtual absl::Status Replay() = 0;
};

// One device behind a queue: ops return before they are done. All streams of
// the device share the queue, so that work is done in the order of the calls,
// whichever stream it came by. Thread-safe but for recording.
class DeviceBackend {
 public:
  virtual ~DeviceBackend() = default;

  virtual Memory& memory() = 0;

  // Waits until the queue is empty. Errors: the first that the device had since
  // the last call, or the one that it will have for ever.
  virtual absl::Status Synchronize() = 0;

  // Says whether the device can still be used.
  virtual absl::Status health() const = 0;

  // Says whether ops can be recorded instead of run.
  virtual bool can_record() const = 0;

  // Has the ops that follow recorded, until EndRecording. Only one thread may
  // use the device meanwhile, and nothing may wait for it.
  virtual absl::Status BeginRecording() = 0;

  // Ends it and returns what was recorded; nothing of it has run.
  virtual absl::StatusOr<std::unique_ptr<Recording>> EndRecording() = 0;
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_DEVICE_BACKEND_H_
