// What each op should compute, as plain loops in double precision.
#ifndef TESSERA_TESTS_KERNELS_REFERENCE_H_
#define TESSERA_TESTS_KERNELS_REFERENCE_H_

#include <cstdint>
#include <vector>

#include "kernels/ops/activation.h"
#include "kernels/ops/attention.h"
#include "kernels/ops/conv2d.h"
#include "kernels/tensor.h"

namespace tessera::kernels::reference {

using Values = std::vector<double>;

// Returns the elements of an f32 tensor.
Values Read(const TensorView& view);

// The functions that kernels/ops/activation.h names.
double Activate(Activation activation, double x);

// Rows [m, k] times weights [n, k] transposed, plus bias [n] (may be empty).
Values MatMul(const Values& a, const Values& weights, const Values& bias,
              int64_t m, int64_t n, int64_t k);

// Cross-correlation of [n, h, w, cin] with weights [cout, cin, kh, kw]
// (torch.nn.functional.conv2d), zeros outside the picture.
Values Conv2d(const TensorView& input, const TensorView& weights,
              const Values& bias, int64_t stride, const Padding& padding,
              const Shape& out_shape);

// softmax(scale q k') v for every picture and head.
Values Attention(const AttentionArgs& args);

// (x - mean) / sqrt(variance + eps) over each group of each picture, then
// weight and bias by channel (torch.nn.functional.group_norm).
Values GroupNorm(const TensorView& input, int64_t groups, double eps,
                 const TensorView& weight, const TensorView& bias);

// The same over the last axis (torch.nn.functional.layer_norm).
Values LayerNorm(const TensorView& input, double eps, const TensorView& weight,
                 const TensorView& bias);

}  // namespace tessera::kernels::reference

#endif  // TESSERA_TESTS_KERNELS_REFERENCE_H_
