#include <cstdlib>
#include <cstring>

#include "tests/gpu/machine.h"

namespace tessera::kernels::cuda {

std::string WhyNoDevice() { return ""; }

bool IsEmulation() { return true; }

// Allocates exactly `bytes`, so that the address sanitizer sees what a kernel
// reads or writes beyond.
DeviceBuffer::DeviceBuffer(int64_t bytes) : bytes_(bytes) {
  const auto size = static_cast<size_t>(bytes);
  if (posix_memalign(&data_, 256, size) != 0) std::abort();
  std::memset(data_, 0xFF, size);
}

DeviceBuffer::DeviceBuffer(const void* host, int64_t bytes)
    : DeviceBuffer(bytes) {
  std::memcpy(data_, host, static_cast<size_t>(bytes));
}

DeviceBuffer::~DeviceBuffer() { std::free(data_); }

void DeviceBuffer::Download(void* host) const {
  std::memcpy(host, data_, static_cast<size_t>(bytes_));
}

}  // namespace tessera::kernels::cuda
