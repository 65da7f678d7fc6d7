// Weights in the layout that the gemm kernels read.
#ifndef TESSERA_KERNELS_PACKED_WEIGHTS_H_
#define TESSERA_KERNELS_PACKED_WEIGHTS_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

// Output columns a panel holds, whatever the vector width, so that one packing
// serves every instruction set.
inline constexpr int64_t kPanelColumns = 16;

// A matrix [N, K] (outputs by inputs), packed once at load into panels of 16
// outputs: [ceil(N / 16), K, 16], the last panel filled with zeros, and its
// bias [ceil(N / 16) * 16], zeros where there is none. For a convolution K is
// taps * channels with the channels innermost.
struct PackedWeights {
  Tensor panels;
  Tensor bias;
  int64_t n = 0;         // outputs
  int64_t k = 0;         // inputs: taps * channels
  int64_t kernel = 1;    // height and width of a convolution's window
  int64_t channels = 0;  // inputs a tap

  int64_t num_panels() const { return (n + kPanelColumns - 1) / kPanelColumns; }
};

// Packs a linear layer: `weight` [N, K], `bias` [N] or empty; f32.
PackedWeights PackLinear(const TensorView& weight, const TensorView& bias);

// Packs a convolution: `weight` [N, C, kernel, kernel], `bias` [N] or empty;
// f32. The window is square.
PackedWeights PackConv(const TensorView& weight, const TensorView& bias);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_PACKED_WEIGHTS_H_
