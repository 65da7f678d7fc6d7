// Asks the driver for a tensor map.
#ifndef TESSERA_KERNELS_CUDA_TILES_ENCODE_TENSOR_MAP_H_
#define TESSERA_KERNELS_CUDA_TILES_ENCODE_TENSOR_MAP_H_

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "kernels/cuda/tiles/tensor_map.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Encodes a map over f16 or bf16 elements, with zeros outside and 256-byte
// promotion in L2. The driver is found through the runtime: programs do not
// link it. Errors: cudaErrorInvalidValue where ProblemOf finds something or
// the driver refuses, cudaErrorNotSupported for a driver before 12.0.
cudaError_t EncodeTensorMap(const TensorMapSpec& spec, DType dtype,
                            CUtensorMap* map);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_ENCODE_TENSOR_MAP_H_
