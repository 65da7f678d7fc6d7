#include "kernels/memory.h"

#include <cstdlib>
#include <cstring>

#include "common/check.h"

namespace tessera::kernels {
namespace {

// Allocates from the heap; holds nothing, so that one object serves all.
class Heap final : public Memory {
 public:
  Place place() const override { return Place::kHost; }

  absl::StatusOr<void*> Allocate(int64_t bytes) override {
    constexpr auto kUnit = static_cast<size_t>(kAlignment);
    // Rounds up past the end: aligned_alloc wants a multiple of the alignment,
    // and an empty tensor still gets memory, so that its data is not null.
    const size_t rounded = (static_cast<size_t>(bytes) / kUnit + 1) * kUnit;
    void* const memory = std::aligned_alloc(kUnit, rounded);
    // Dies without memory: no caller could go on.
    CHECK(memory != nullptr);
    // Zeroes the padding too; packing counts on zeros.
    std::memset(memory, 0, rounded);
    return memory;
  }

  void Free(void* memory, int64_t) override { std::free(memory); }
};

}  // namespace

Memory& HostMemory() {
  static Heap heap;
  return heap;
}

}  // namespace tessera::kernels
