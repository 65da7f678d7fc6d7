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

// Has nothing to wait for on the CPU, where an op is finished when its call
// returns; hands over the error and makes the stream usable again.
absl::Status Stream::Synchronize() {
  return std::exchange(error_, absl::OkStatus());
}

}  // namespace tessera::kernels
