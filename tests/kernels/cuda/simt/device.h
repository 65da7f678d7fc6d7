// Stands in for the device where a .cu file is compiled as plain C++.
//
// Included before everything else. It defines what CUDA C++ adds to C++ (the
// built-in variables and functions) and takes the place of kernels/cuda's
// launch.cuh, and with tensor_core.h that of tensor_core.cuh, by claiming their
// guards. Everything else in a kernel is the
// device's own source.
#ifndef TESSERA_TESTS_KERNELS_CUDA_SIMT_DEVICE_H_
#define TESSERA_TESTS_KERNELS_CUDA_SIMT_DEVICE_H_

#define TESSERA_KERNELS_CUDA_LAUNCH_CUH_

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "tests/kernels/cuda/simt/block.h"

#define __launch_bounds__(...)

// The running thread's coordinates; the scheduler keeps them.
inline thread_local uint3 threadIdx;
inline thread_local uint3 blockIdx;
inline thread_local dim3 blockDim;
inline thread_local dim3 gridDim;

inline void __syncthreads() { tessera::simt::Block::Running().Barrier(); }

// Swaps values between the lanes of a full warp.
template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  T result = value;
  std::pair<T, T*> operand = {value, &result};
  tessera::simt::Block::Running().Meet(&operand, [&](void* const* operands) {
    const auto of = [&](int lane) {
      return static_cast<std::pair<T, T*>*>(operands[lane]);
    };
    for (int lane = 0; lane < tessera::simt::kLanes; ++lane) {
      *of(lane)->second = of(lane ^ mask)->first;
    }
  });
  return result;
}

template <typename T>
T __ldg(const T* address) {
  return *address;
}

inline float __expf(float x) { return std::exp(x); }
inline float __fmaf_rn(float x, float y, float z) { return std::fma(x, y, z); }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }

namespace tessera::kernels::cuda {

// Runs the grid to its end, block after block, last block first: no block may
// count on an earlier one.
template <typename... Parameters>
cudaError_t LaunchKernel(void (*kernel)(Parameters...), dim3 grid, int threads,
                         int64_t shared_bytes, cudaStream_t,
                         Parameters... arguments) {
  constexpr int64_t kMaxSharedBytes = 163 * 1024;  // of sm_80
  if (shared_bytes > kMaxSharedBytes || threads < 1 || threads > 1024 ||
      grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 ||
      grid.z > 65535) {
    return cudaErrorInvalidValue;
  }
  gridDim = grid;
  blockDim = dim3(static_cast<unsigned>(threads));
  for (unsigned z = grid.z; z-- > 0;) {
    for (unsigned y = grid.y; y-- > 0;) {
      for (unsigned x = grid.x; x-- > 0;) {
        simt::Block block(threads, static_cast<size_t>(shared_bytes),
                          [&] { kernel(arguments...); });
        block.Run([&](int thread) {
          threadIdx = {static_cast<unsigned>(thread), 0, 0};
          blockIdx = {x, y, z};
        });
      }
    }
  }
  return cudaSuccess;
}

// Returns the running block's dynamic shared memory.
template <typename T>
T* SharedMemory() {
  return reinterpret_cast<T*>(simt::Block::Running().shared());
}

}  // namespace tessera::kernels::cuda

#include "tests/kernels/cuda/simt/tensor_core.h"

#endif  // TESSERA_TESTS_KERNELS_CUDA_SIMT_DEVICE_H_
