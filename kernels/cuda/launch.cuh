// Launching a kernel, and the dynamic shared memory it then finds.
#ifndef TESSERA_KERNELS_CUDA_LAUNCH_CUH_
#define TESSERA_KERNELS_CUDA_LAUNCH_CUH_

#include <cuda_runtime.h>

#include <cstdint>

namespace tessera::kernels::cuda {

// Launches `kernel` with `shared_bytes` of dynamic shared memory, asking for
// leave beyond 48 KB. Returns the first error; launching is asynchronous, so
// an error of the kernel itself shows at the next synchronisation.
template <typename... Parameters>
cudaError_t LaunchKernel(void (*kernel)(Parameters...), dim3 grid, int threads,
                         int64_t shared_bytes, cudaStream_t stream,
                         Parameters... arguments) {
  constexpr int64_t kFreeSharedBytes = 48 * 1024;
  if (shared_bytes > kFreeSharedBytes) {
    const cudaError_t error = cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
        static_cast<int>(shared_bytes));
    if (error != cudaSuccess) return error;
  }
  kernel<<<grid, threads, static_cast<size_t>(shared_bytes), stream>>>(
      arguments...);
  return cudaGetLastError();
}

// Returns the block's dynamic shared memory, aligned to 128 bytes.
template <typename T>
__device__ inline T* SharedMemory() {
  extern __shared__ __align__(128) unsigned char tessera_shared_memory[];
  return reinterpret_cast<T*>(tessera_shared_memory);
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_LAUNCH_CUH_
