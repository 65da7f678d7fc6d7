// Copies rows, each scaled: the model's input from latents.
#ifndef TESSERA_KERNELS_CUDA_SCALE_ROWS_H_
#define TESSERA_KERNELS_CUDA_SCALE_ROWS_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Where one row comes from, and its factor.
struct ScaledRow {
  int64_t source = 0;
  float scale = 1;
};

// Rows of `row_elements` contiguous elements.
struct ScaleRowsParams {
  const void* x = nullptr;  // [any, row_elements]
  DType x_dtype = DType::kF32;
  // In device memory, `out_rows` of them, so that a captured graph reads each
  // step's own numbers.
  const ScaledRow* rows = nullptr;
  void* out = nullptr;  // [out_rows, row_elements], no overlap
  DType out_dtype = DType::kF16;
  int64_t out_rows = 0;
  int64_t row_elements = 0;
};

// out[i] = rows[i].scale * x[rows[i].source], in f32, rounded once. The caller
// vouches for the sources. Errors: what the launch returns;
// cudaErrorInvalidValue for no float dtype.
cudaError_t LaunchScaleRows(const ScaleRowsParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_SCALE_ROWS_H_
