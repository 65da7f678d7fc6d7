// The tensor maps of the Hopper attention.
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_MAPS_H_
#define TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_MAPS_H_

#include <cstdint>

#include "kernels/cuda/attention/params.h"
#include "kernels/cuda/tiles/tensor_map.h"

namespace tessera::kernels::cuda {

// Maps an operand as (column of the head, head, row, picture) in boxes of 64
// columns and `box_rows` rows of one head. Columns past the head and rows past
// the picture are outside, so they arrive as zeros, not as a neighbour's.
TensorMapSpec MapOf(const AttentionOperand& operand, int64_t rows,
                    const AttentionParams& params, int box_rows);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_MAPS_H_
