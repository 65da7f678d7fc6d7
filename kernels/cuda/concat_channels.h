// Concatenation of channels.
#ifndef TESSERA_KERNELS_CUDA_CONCAT_CHANNELS_H_
#define TESSERA_KERNELS_CUDA_CONCAT_CHANNELS_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Rows of channels to be put side by side.
struct ConcatChannelsParams {
  const void* a = nullptr;  // [rows, a_channels]
  const void* b = nullptr;  // [rows, b_channels]
  void* out = nullptr;      // [rows, a_channels + b_channels], no overlap
  int64_t rows = 0;
  int64_t a_channels = 0;
  int64_t b_channels = 0;
  DType dtype = DType::kF16;  // f32, f16 or bf16, of all three
};

// out = a's channels, then b's, bit for bit. Errors: what the launch returns;
// cudaErrorInvalidValue for another dtype.
cudaError_t LaunchConcatChannels(const ConcatChannelsParams& params,
                                 cudaStream_t stream);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_CONCAT_CHANNELS_H_
