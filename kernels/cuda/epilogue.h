// What is added to a product when its own epilogue cannot.
#ifndef TESSERA_KERNELS_CUDA_EPILOGUE_H_
#define TESSERA_KERNELS_CUDA_EPILOGUE_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"
#include "kernels/ops/activation.h"

namespace tessera::kernels::cuda {

// One pass over a product [rows, columns]; absent operands are null.
struct EpilogueParams {
  const void* input = nullptr;        // [rows, columns]
  const void* bias = nullptr;         // [columns]
  const void* channel_add = nullptr;  // [rows / picture_rows, columns]
  const void* residual = nullptr;     // [rows, columns]
  void* out = nullptr;                // may be `input` or `residual`
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t picture_rows = 1;  // consecutive rows that share a channel_add row
  Activation activation = Activation::kNone;
  DType dtype = DType::kF16;  // of everything
};

// out = activation(input + bias + channel_add) + residual, added in this order
// in f32 and rounded once. Errors: what the launch returns;
// cudaErrorInvalidValue for no float dtype.
cudaError_t LaunchEpilogue(const EpilogueParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_EPILOGUE_H_
