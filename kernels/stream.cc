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
  return !planning_ && error_.ok();
}

absl::Status Stream::Synchronize() {
  return std::exchange(error_, absl::OkStatus());
}

}  // namespace tessera::kernels
