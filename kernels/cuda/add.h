// out = a + b.
#ifndef TESSERA_KERNELS_CUDA_ADD_H_
#define TESSERA_KERNELS_CUDA_ADD_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// The operands of a sum, `elements` contiguous elements each.
struct AddParams {
  const void* a = nullptr;
  const void* b = nullptr;
  void* out = nullptr;  // may be `a` or `b`
  int64_t elements = 0;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of all three
};

// Adds in f32 and rounds once. Errors: what the launch returns;
// cudaErrorInvalidValue for another dtype.
cudaError_t LaunchAdd(const AddParams& params, cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ADD_H_
