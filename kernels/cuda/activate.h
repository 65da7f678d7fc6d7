// out = activation(in).
#ifndef TESSERA_KERNELS_CUDA_ACTIVATE_H_
#define TESSERA_KERNELS_CUDA_ACTIVATE_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"
#include "kernels/ops/activation.h"

namespace tessera::kernels::cuda {

// The operand of an activation, `elements` contiguous elements.
struct ActivateParams {
  const void* input = nullptr;
  Activation activation = Activation::kNone;
  void* out = nullptr;  // may be `input`
  int64_t elements = 0;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of both
};

// Computes in f32 and rounds once. Errors: what the launch returns;
// cudaErrorInvalidValue for another dtype.
cudaError_t LaunchActivate(const ActivateParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ACTIVATE_H_
