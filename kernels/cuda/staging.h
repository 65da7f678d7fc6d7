// Pinned memory through which everything crosses between host and device.
#ifndef TESSERA_KERNELS_CUDA_STAGING_H_
#define TESSERA_KERNELS_CUDA_STAGING_H_

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/cuda/health.h"
#include "kernels/tensor.h"

namespace tessera::kernels::cuda {

// Copies by way of two pinned buffers: only from pinned memory does a device
// read by itself, and while it reads one buffer the host fills the other.
// Thread-compatible.
class Staging {
 public:
  // Bytes of one buffer.
  static constexpr int64_t kBufferBytes = int64_t{4} << 20;
  // Bytes copied at once, so that the device begins before all is converted.
  static constexpr int64_t kPartBytes = int64_t{1} << 20;

  // `stream` and `health` must outlive it. Errors: what the runtime returns.
  static absl::StatusOr<std::unique_ptr<Staging>> Create(cudaStream_t stream,
                                                         Health& health);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Queues a copy from the host, converted to the type of `device`. Has read
  // `host` when it returns.
  absl::Status ToDevice(const TensorView& host, const TensorView& device);

  // Copies to the host, converted there, and waits for it.
  absl::Status ToHost(const TensorView& device, const TensorView& host);

 private:
  // A buffer, and the event of the device being through with it.
  struct Buffer {
    std::byte* data = nullptr;
    cudaEvent_t free = nullptr;
  };

  Staging(cudaStream_t stream, Health& health)
      : stream_(stream), health_(health) {}

  absl::StatusOr<std::byte*> Take(int64_t bytes);

  const cudaStream_t stream_;
  Health& health_;
  std::array<Buffer, 2> buffers_;
  // The buffer that is being filled, and how far.
  size_t current_ = 0;
  int64_t used_ = 0;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_STAGING_H_
