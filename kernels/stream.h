// Ordered work on a device, with the first error latched.
#ifndef TESSERA_KERNELS_STREAM_H_
#define TESSERA_KERNELS_STREAM_H_

#include "absl/status/status.h"

namespace tessera::kernels {

class Device;
struct OpTable;

// Whether ops run, or are only validated while an arena is planned.
enum class StreamMode { kRun, kPlan };

// Takes ops in order. An op that fails leaves its error here and later ops do
// nothing, so that a forward pass reads as mathematics and still loses no
// error. Thread-compatible: one thread at a time.
class Stream {
 public:
  // Keeps a reference to `device`, which must outlive the stream.
  Stream(Device& device, StreamMode mode) : device_(device), mode_(mode) {}

  Device& device() const { return device_; }
  StreamMode mode() const { return mode_; }
  bool planning() const { return mode_ == StreamMode::kPlan; }

  // Whether an op should run now: not planning, and no error yet.
  bool running() const { return mode_ == StreamMode::kRun && status_.ok(); }

  // Keeps `status` if it is the first error.
  void Latch(const absl::Status& status) {
    if (status_.ok() && !status.ok()) status_ = status;
  }

  // Waits for the work so far; returns and clears the first error.
  absl::Status Synchronize() {
    absl::Status status = status_;
    status_ = absl::OkStatus();
    return status;
  }

 private:
  Device& device_;
  const StreamMode mode_;
  absl::Status status_;
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_STREAM_H_
