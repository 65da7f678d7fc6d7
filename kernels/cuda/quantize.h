// Rounding of a linear layer's inputs to 8 bits.
#ifndef TESSERA_KERNELS_CUDA_QUANTIZE_H_
#define TESSERA_KERNELS_CUDA_QUANTIZE_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Rows of which the first `columns` elements are rounded.
struct QuantizeParams {
  const void* input = nullptr;  // [rows, columns], rows `pitch` elements apart
  int64_t pitch = 0;
  uint8_t* out = nullptr;       // [rows, columns] of E4M3
  float* row_scales = nullptr;  // [rows]; each becomes 1
  int64_t rows = 0;
  int64_t columns = 0;
  float inverse_scale = 1;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of `input`
};

// out = input * inverse_scale, rounded to nearest even; what is too large
// becomes the largest number. The library multiplies rows by scales of their
// own, which are not needed here. Errors: what the launch returns;
// cudaErrorInvalidValue for another dtype.
cudaError_t LaunchQuantize(const QuantizeParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_QUANTIZE_H_
