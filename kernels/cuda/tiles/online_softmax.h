// A row of softmax(scale * s) v while its keys arrive block by block.
//
// Milakov and Gimelshein 2018; base 2, so that a probability costs one fused
// multiply-add and one ex2. `Maths` gives Max, Fma and Exp2.
#ifndef TESSERA_KERNELS_CUDA_TILES_ONLINE_SOFTMAX_H_
#define TESSERA_KERNELS_CUDA_TILES_ONLINE_SOFTMAX_H_

#include <limits>

#include "kernels/cuda/tiles/device_code.h"

namespace tessera::kernels::cuda {

// A logit that takes no part.
inline constexpr float kMasked = -std::numeric_limits<float>::infinity();

// The running maximum of a row, times scale * log2(e). It is kept as it was
// rounded: probabilities and corrections of different blocks are relative to
// the very same numbers, and agree to an ulp for logits of any size.
struct RowMaximum {
  float scaled = kMasked;

  // Takes in the largest score of a block, times scale * log2(e), and returns
  // the factor for what was summed before: 1 as long as nothing grew.
  template <typename Maths>
  TESSERA_DEVICE float Raise(float block_scaled) {
    const float before = scaled;
    scaled = Maths::Max(before, block_scaled);
    return Maths::Exp2(before - Reference());
  }

  // What exponents are relative to: zero while every key was masked, since
  // -inf - (-inf) is no number.
  TESSERA_DEVICE float Reference() const {
    return scaled == kMasked ? 0.0f : scaled;
  }
};

// Returns exp2(score * scale_log2 - reference).
template <typename Maths>
TESSERA_DEVICE float Probability(float score, float scale_log2,
                                 float reference) {
  return Maths::Exp2(Maths::Fma(score, scale_log2, -reference));
}

// Returns 1 / sum; 0 for a row that saw no key, whose output is then 0.
TESSERA_DEVICE float InverseSum(float sum) {
  return sum == 0.0f ? 0.0f : 1.0f / sum;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_ONLINE_SOFTMAX_H_
