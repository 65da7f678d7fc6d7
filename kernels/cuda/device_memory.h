// The memory of a CUDA device.
#ifndef TESSERA_KERNELS_CUDA_DEVICE_MEMORY_H_
#define TESSERA_KERNELS_CUDA_DEVICE_MEMORY_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "kernels/cuda/health.h"
#include "kernels/memory.h"

namespace tessera::kernels::cuda {

// Allocates from a pool in the order of one stream: what is freed there may be
// given out again at once, for the work that used it comes first. The pool
// keeps freed memory until there is too little. Thread-safe.
class DeviceMemory final : public Memory {
 public:
  // Makes the pool on device `ordinal`. `stream` and `health` must outlive the
  // memory. Errors: what the runtime returns.
  static absl::StatusOr<std::unique_ptr<DeviceMemory>> Create(
      int ordinal, cudaStream_t stream, Health& health);
  ~DeviceMemory() override;

  Place place() const override { return Place::kDevice; }
  absl::StatusOr<void*> Allocate(int64_t bytes) override;
  void Free(void* memory, int64_t bytes) override;

  // Allocates on another stream, which is then to be waited for; not zeroed.
  absl::StatusOr<void*> AllocateOn(cudaStream_t stream, int64_t bytes);

 private:
  DeviceMemory(int ordinal, cudaMemPool_t pool, cudaStream_t stream,
               Health& health)
      : ordinal_(ordinal), pool_(pool), stream_(stream), health_(health) {}

  const int ordinal_;
  const cudaMemPool_t pool_;
  const cudaStream_t stream_;
  Health& health_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_DEVICE_MEMORY_H_
