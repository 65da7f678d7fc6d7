// The machine that runs kernels under test: a GPU, or its emulation.
#ifndef TESSERA_TESTS_GPU_MACHINE_H_
#define TESSERA_TESTS_GPU_MACHINE_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

namespace tessera::kernels::cuda {

// Returns why no kernel can run here; empty when one can.
std::string WhyNoDevice();

// Whether kernels run on the emulation: rounding of exp may differ then, and
// large cases are too slow.
bool IsEmulation();

// Memory of the device.
class DeviceBuffer {
 public:
  // Allocates `bytes`, filled with NaN bits. Aborts when there are none.
  explicit DeviceBuffer(int64_t bytes);
  // Allocates a copy of host memory.
  DeviceBuffer(const void* host, int64_t bytes);
  ~DeviceBuffer();

  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

  // Copies to the host after all work so far; aborts on a device error.
  void Download(void* host) const;

 private:
  void* data_ = nullptr;
  int64_t bytes_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_GPU_MACHINE_H_
