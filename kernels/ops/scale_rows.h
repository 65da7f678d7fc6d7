// Copies rows, each scaled: the model's input from latents, which are rounded
// to the compute type on the way.
#ifndef TESSERA_KERNELS_OPS_SCALE_ROWS_H_
#define TESSERA_KERNELS_OPS_SCALE_ROWS_H_

#include <cstdint>
#include <span>

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// Where one row comes from, and its factor.
struct ScaledRow {
  int64_t source = 0;
  float scale = 1;
};

// The rows of the result, each by its source; sources may repeat.
struct ScaleRowsArgs {
  TensorView x;                     // f32 [any, ...]
  std::span<const ScaledRow> rows;  // one a row of `out`
  TensorView out;                   // [rows, ...]
};

// out[i] = rows[i].scale * x[rows[i].source]. `out` must not overlap `x`.
// Errors: INVALID_ARGUMENT for shapes that do not fit or sources outside x.
void ScaleRows(Stream& stream, const ScaleRowsArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_SCALE_ROWS_H_
