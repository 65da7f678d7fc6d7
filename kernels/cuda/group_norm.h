// Group normalisation of NHWC tensors, optionally with SiLU.
#ifndef TESSERA_KERNELS_CUDA_GROUP_NORM_H_
#define TESSERA_KERNELS_CUDA_GROUP_NORM_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/group_norm_plan.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The operand and the parameters of a group norm.
struct GroupNormParams {
  const void* input = nullptr;    // [n, pixels, channels]
  const float* weight = nullptr;  // [channels]
  const float* bias = nullptr;    // [channels]
  void* out = nullptr;            // may be `input`
  void* workspace = nullptr;      // n * PlanGroupNorm(...).picture_bytes
  int64_t n = 0;                  // at most 65535
  int64_t pixels = 0;
  int64_t channels = 0;
  int64_t groups = 0;  // divides `channels`
  float eps = 0;
  bool silu = false;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of `input` and `out`
};

// Normalises each group of each picture. Statistics are shifted sums in f32,
// combined in an order that the picture's shape fixes: a picture alone has the
// bits it has among others. `input` and `out` are aligned to 16 bytes. Errors:
// what a launch returns; cudaErrorInvalidValue for another dtype or extents
// that no plan covers, cudaErrorMisalignedAddress.
cudaError_t LaunchGroupNorm(const GroupNormParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_GROUP_NORM_H_
