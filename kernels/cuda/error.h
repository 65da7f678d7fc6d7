// What the CUDA runtime's errors mean to callers.
#ifndef TESSERA_KERNELS_CUDA_ERROR_H_
#define TESSERA_KERNELS_CUDA_ERROR_H_

#include <cuda_runtime_api.h>

#include <string_view>

#include "absl/status/status.h"

namespace tessera::kernels::cuda {

// Returns OK for cudaSuccess, else "what: name: text" with a code that says who
// can help: RESOURCE_EXHAUSTED when memory ran out, FAILED_PRECONDITION for a
// machine without a usable driver or device, UNAVAILABLE for a device that is
// taken by others, INTERNAL for the rest.
absl::Status ToStatus(cudaError_t error, std::string_view what);

// Whether every later call of this process will fail as well: the context is
// gone with all of its memory, and only a new process gets the device back.
bool IsSticky(cudaError_t error);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ERROR_H_
