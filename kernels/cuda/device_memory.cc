#include "kernels/cuda/device_memory.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::kernels::cuda {

absl::StatusOr<std::unique_ptr<DeviceMemory>> DeviceMemory::Create(
    int ordinal, cudaStream_t stream, Health& health) {
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, ordinal};
  cudaMemPool_t pool = nullptr;
  RETURN_IF_ERROR(health.Check(cudaMemPoolCreate(&pool, &properties),
                               "create memory pool"));
  // Takes ownership of the pool before anything else may fail.
  std::unique_ptr<DeviceMemory> memory(
      new DeviceMemory(ordinal, pool, stream, health));
  // Keeps what is freed over every synchronisation, else each wait would give
  // it back to the driver.
  uint64_t threshold = std::numeric_limits<uint64_t>::max();
  RETURN_IF_ERROR(
      health.Check(cudaMemPoolSetAttribute(
                       pool, cudaMemPoolAttrReleaseThreshold, &threshold),
                   "keep memory"));
  return memory;
}

DeviceMemory::~DeviceMemory() {
  // Ends with the process if the device is lost.
  static_cast<void>(
      health_.Check(cudaMemPoolDestroy(pool_), "destroy memory pool"));
}

absl::StatusOr<void*> DeviceMemory::AllocateOn(cudaStream_t stream,
                                               int64_t bytes) {
  // May be called on any thread, whose device may be another.
  RETURN_IF_ERROR(health_.Check(cudaSetDevice(ordinal_), "use device"));
  const auto size =
      static_cast<size_t>(std::max<int64_t>(bytes, Memory::kAlignment));
  const auto allocate = [&](void** memory) {
    return cudaMallocFromPoolAsync(memory, size, pool_, stream);
  };
  void* memory = nullptr;
  cudaError_t error = allocate(&memory);
  if (error == cudaErrorMemoryAllocation) {
    // Lets queued frees happen and gives unused memory back, which the driver
    // can then join to larger pieces.
    static_cast<void>(cudaGetLastError());
    RETURN_IF_ERROR(
        health_.Check(cudaStreamSynchronize(stream_), "wait for memory"));
    RETURN_IF_ERROR(health_.Check(cudaMemPoolTrimTo(pool_, 0), "trim memory"));
    error = allocate(&memory);
  }
  RETURN_IF_ERROR(
      health_.Check(error, absl::StrCat("allocate ", bytes, " bytes")));
  return memory;
}

absl::StatusOr<void*> DeviceMemory::Allocate(int64_t bytes) {
  ASSIGN_OR_RETURN(void* const memory, AllocateOn(stream_, bytes));
  const absl::Status zeroed = health_.Check(
      cudaMemsetAsync(memory, 0, static_cast<size_t>(bytes), stream_),
      "zero memory");
  if (!zeroed.ok()) {
    Free(memory, bytes);
    return zeroed;
  }
  return memory;
}

// Reports nothing: a device that is lost has lost the memory, too.
void DeviceMemory::Free(void* memory, int64_t) {
  static_cast<void>(health_.Check(cudaSetDevice(ordinal_), "use device"));
  static_cast<void>(
      health_.Check(cudaFreeAsync(memory, stream_), "free memory"));
}

}  // namespace tessera::kernels::cuda
