// Low-rank adapters on row segments: y += scale * (x A') B'.
#ifndef TESSERA_KERNELS_CUDA_LORA_GEMM_H_
#define TESSERA_KERNELS_CUDA_LORA_GEMM_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/lora_gemm_plan.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The segments of one linear layer and the columns they read and update.
struct LoraGemmParams {
  const void* x = nullptr;  // [rows, x_width]
  int64_t x_width = 0;
  int64_t x_column = 0;  // first of the k columns read
  int64_t k = 0;
  void* out = nullptr;  // [rows, out_width], in and out
  int64_t out_width = 0;
  int64_t out_column = 0;  // first of the n columns updated
  int64_t n = 0;
  // The planned segments, in device memory, and the plan of them.
  const LoraSegment* segments = nullptr;
  int64_t segment_count = 0;
  LoraGemmPlan plan;
  // Whether every A, and every B, is aligned to 16 bytes with rows of whole
  // chunks; otherwise it is read element by element.
  bool down_aligned = false;
  bool up_aligned = false;
  void* workspace = nullptr;  // plan.hidden_elements elements
  DType dtype = DType::kF16;  // f16 or bf16, of everything
};

// Adds each segment's adapter to `out`. Both products sum in f32; x A' is
// rounded to `dtype` between them, the result once at the end. Rows outside
// all segments keep their bits, and a row's bits depend neither on other rows
// nor on where in its segment it is. `out` must not overlap `x`. Errors: what
// a launch returns; cudaErrorInvalidValue for another dtype.
cudaError_t LaunchLoraGemm(const LoraGemmParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_LORA_GEMM_H_
