#include "kernels/cuda/tiles/tensor_map.h"

namespace tessera::kernels::cuda {
namespace {

// Returns how many bytes a box's row may have; 0 for any number.
constexpr uint64_t SpanOf(TensorSwizzle swizzle) {
  switch (swizzle) {
    case TensorSwizzle::kNone:
      return 0;
    case TensorSwizzle::k32:
      return 32;
    case TensorSwizzle::k64:
      return 64;
    case TensorSwizzle::k128:
      return 128;
  }
  return 0;
}

// Judges one dimension.
std::string_view ProblemOfDimension(const TensorMapSpec& spec, int i) {
  if (spec.sizes[i] == 0 || spec.sizes[i] > uint64_t{1} << 32) {
    return "a size is not in 1..2^32";
  }
  if (spec.box[i] == 0 || spec.box[i] > 256) return "a box is not in 1..256";
  if (spec.element_strides[i] == 0 || spec.element_strides[i] > 8) {
    return "an element stride is not in 1..8";
  }
  if (i == 0) return {};
  const uint64_t stride = spec.stride_bytes[i - 1];
  if (stride == 0 || stride % 16 != 0) {
    return "a stride is not a multiple of 16 bytes";
  }
  if (stride >= uint64_t{1} << 40) return "a stride is not below 2^40 bytes";
  return {};
}

}  // namespace

std::string_view ProblemOf(const TensorMapSpec& spec) {
  if (spec.rank < 1 || spec.rank > TensorMapSpec::kMaxRank) {
    return "the rank is not in 1..5";
  }
  const auto address = reinterpret_cast<uintptr_t>(spec.address);
  if (address == 0 || address % 16 != 0) {
    return "the address is not a multiple of 16 bytes";
  }
  const int bytes = spec.element_bytes;
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
    return "an element has not 1, 2, 4 or 8 bytes";
  }
  for (int i = 0; i < spec.rank; ++i) {
    const std::string_view problem = ProblemOfDimension(spec, i);
    if (!problem.empty()) return problem;
  }
  const uint64_t row = uint64_t{spec.box[0]} * bytes;
  if (row % 16 != 0) return "a row of the box is not a multiple of 16 bytes";
  const uint64_t span = SpanOf(spec.swizzle);
  if (span != 0 && row > span) return "a row of the box exceeds the swizzle";
  return {};
}

}  // namespace tessera::kernels::cuda
