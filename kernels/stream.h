// Ordered work on one device, with a latched first error.
#ifndef TESSERA_KERNELS_STREAM_H_
#define TESSERA_KERNELS_STREAM_H_

#include "absl/status/status.h"

namespace tessera::kernels {

class Device;
struct OpTable;

// Ops are called on a stream and report nothing: the first error is latched,
// later ops do nothing, and TakeError() or Synchronize() tells. Model code thus
// needs no status check between ops. On a device with a queue an op that has
// returned may not have run yet; ops of all streams of a device run in the
// order of the calls. Not thread-safe: one thread uses a stream.
class Stream {
 public:
  // Borrows the device, which must outlive the stream.
  explicit Stream(Device& device) : device_(device) {}

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Device& device() const { return device_; }

  // The backend's implementation of every op.
  const OpTable& ops() const;

  // Whether an arena is being planned: ops validate but do not run.
  bool planning() const { return planning_; }
  // Is for Arena alone, which plans.
  void set_planning(bool planning) { planning_ = planning; }

  // Latches an error; only the first one is kept.
  void Fail(absl::Status error);
  // Says whether an error is latched, so that later ops do nothing.
  bool failed() const { return !error_.ok(); }

  // Whether an op may run now, given the outcome of its validation: latches
  // a bad one; false also while planning or after an earlier error.
  bool Admit(absl::Status validation);

  // Returns the first error known so far and clears it, without waiting.
  absl::Status TakeError();

  // Waits for all work, returns the first error and clears it.
  absl::Status Synchronize();

 private:
  // Borrowed; every op runs there.
  Device& device_;
  // The first error since one was last taken.
  absl::Status error_;
  // Makes ops validate only.
  bool planning_ = false;
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_STREAM_H_
