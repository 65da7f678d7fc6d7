// Tiled tensor maps: what they say, and what the driver demands of them.
#ifndef TESSERA_KERNELS_CUDA_TILES_TENSOR_MAP_H_
#define TESSERA_KERNELS_CUDA_TILES_TENSOR_MAP_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace tessera::kernels::cuda {

// The pattern in which a box is written to shared memory.
enum class TensorSwizzle { kNone, k32, k64, k128 };

// A map over up to five dimensions, the fastest first. A copy moves a box; what
// of it lies outside the tensor is written as zeros.
struct TensorMapSpec {
  static constexpr int kMaxRank = 5;

  const void* address = nullptr;
  int element_bytes = 2;
  int rank = 0;
  std::array<uint64_t, kMaxRank> sizes = {};             // in elements
  std::array<uint64_t, kMaxRank - 1> stride_bytes = {};  // of dimensions 1, ...
  std::array<uint32_t, kMaxRank> box = {};               // in elements
  std::array<uint32_t, kMaxRank> element_strides = {1, 1, 1, 1, 1};
  TensorSwizzle swizzle = TensorSwizzle::kNone;

  // Returns the bytes that a copy of one box brings, those outside included.
  constexpr uint32_t box_bytes() const {
    uint32_t bytes = element_bytes;
    for (int i = 0; i < rank; ++i) bytes *= box[i];
    return bytes;
  }
};

// Returns what breaks a documented rule of cuTensorMapEncodeTiled, or nothing
// (cuda.h; interleave none). The driver says only "invalid value", and a few
// breaches not even that.
std::string_view ProblemOf(const TensorMapSpec& spec);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_TENSOR_MAP_H_
