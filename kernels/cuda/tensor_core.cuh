// Tensor cores and asynchronous copies for kernels that point into shared
// memory; the emulation of the tests has the same functions.
#ifndef TESSERA_KERNELS_CUDA_TENSOR_CORE_CUH_
#define TESSERA_KERNELS_CUDA_TENSOR_CORE_CUH_

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/tiles/instructions.cuh"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Begins to copy 16 aligned bytes from global to shared memory.
__device__ inline void CopyAsync16(void* shared, const void* global) {
  const auto to = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(to),
               "l"(__cvta_generic_to_global(global))
               : "memory");
}

// Ends a group of this thread's copies.
__device__ inline void CommitCopies() { instructions::CommitCopies(); }

// Waits until at most kPending of this thread's newest groups are under way;
// other threads' copies are visible after a barrier.
template <int kPending>
__device__ inline void WaitCopies() {
  instructions::WaitCopies<kPending>();
}

// Loads four 8x8 matrices of 16-bit elements; lane 8m + r gives the address of
// row r of matrix m.
__device__ inline void LoadMatrices(uint32_t (&registers)[4],
                                    const void* shared) {
  instructions::LoadMatrices<false>(
      registers, static_cast<uint32_t>(__cvta_generic_to_shared(shared)));
}

// sum += a b for a [16, 16], b [16, 8] of T and f32 sums [16, 8]; who holds
// what is in tiles/fragment.h.
template <typename T>
__device__ inline void MultiplyAdd(float (&sum)[4], const uint32_t (&a)[4],
                                   uint32_t b0, uint32_t b1) {
  constexpr DType kElement =
      std::is_same_v<T, __half> ? DType::kF16 : DType::kBF16;
  instructions::MultiplyAdd<kElement>(sum, a, b0, b1);
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TENSOR_CORE_CUH_
