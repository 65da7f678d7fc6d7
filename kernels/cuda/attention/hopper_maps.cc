#include "kernels/cuda/attention/hopper_maps.h"

#include "kernels/cuda/tiles/wgmma_descriptor.h"

namespace tessera::kernels::cuda {

TensorMapSpec MapOf(const AttentionOperand& operand, int64_t rows,
                    const AttentionParams& params, int box_rows) {
  constexpr int kElementBytes = 2;
  const auto bytes = [](int64_t elements) {
    return static_cast<uint64_t>(elements * kElementBytes);
  };
  return {
      .address = static_cast<const uint16_t*>(operand.data) + operand.column,
      .element_bytes = kElementBytes,
      .rank = 4,
      .sizes = {static_cast<uint64_t>(params.head_dim),
                static_cast<uint64_t>(params.heads),
                static_cast<uint64_t>(rows), static_cast<uint64_t>(params.n)},
      .stride_bytes = {bytes(params.head_dim), bytes(operand.pitch),
                       bytes(operand.pitch * rows)},
      .box = {kPageColumns, 1, static_cast<uint32_t>(box_rows), 1},
      .swizzle = TensorSwizzle::k128};
}

}  // namespace tessera::kernels::cuda
