#include "kernels/stream.h"

#include <utility>

#include "kernels/device.h"

namespace tessera::kernels {

const OpTable& Stream::ops() const { return device_.ops(); }

void Stream::Fail(absl::Status error) {
  if (error_.ok()) error_ = std::move(error);
}

bool Stream::Admit(absl::Status validation) {
  if (!validation.ok()) Fail(std::move(validation));
  // Refuses without an error while planning: a dry pass validates every op and
  // runs none.
  return !planning_ && error_.ok();
}

absl::Status Stream::TakeError() {
  return std::exchange(error_, absl::OkStatus());
}

// Has nothing to wait for on the CPU, where an op is finished when its call
// returns. An op's own error comes before what the device says of the queue,
// which then is its consequence.
absl::Status Stream::Synchronize() {
  if (DeviceBackend* const backend = device_.backend(); backend != nullptr) {
    Fail(backend->Synchronize());
  }
  return TakeError();
}

}  // namespace tessera::kernels
