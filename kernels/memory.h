// Where tensors lie: with the host, or with a device that has memory of its
// own.
#ifndef TESSERA_KERNELS_MEMORY_H_
#define TESSERA_KERNELS_MEMORY_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace tessera::kernels {

// The two sides of the border that only the Copy op crosses. Code may
// dereference kHost alone; on the CPU everything is kHost.
enum class Place : uint8_t { kHost, kDevice };

// Gives out the memory of one device. Thread-safe.
class Memory {
 public:
  // Every address is a multiple of it: a whole vector, a whole cache line, and
  // what the libraries of GPUs ask for.
  static constexpr int64_t kAlignment = 256;
  // Returns the least multiple of it that holds `bytes`.
  static constexpr int64_t RoundUp(int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  virtual ~Memory() = default;

  // Says on which side the memory is.
  virtual Place place() const = 0;

  // Returns `bytes` zeroed bytes; none is a valid size. Work that is queued on
  // the device's streams from now on finds the zeros. Errors:
  // RESOURCE_EXHAUSTED with the device and the size when there is too little,
  // or what is wrong with the device.
  virtual absl::StatusOr<void*> Allocate(int64_t bytes) = 0;

  // Takes back what Allocate gave for `bytes`, once the work that was queued
  // before has ended.
  virtual void Free(void* memory, int64_t bytes) = 0;
};

// Returns the memory of this process, which Allocate aborts without.
Memory& HostMemory();

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_MEMORY_H_
