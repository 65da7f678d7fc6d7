// Instructions of sm_80 under tile algorithms: tensor cores, and copies to
// shared memory that run beside the program. One function an instruction;
// shared memory is given by its 32-bit address.
#ifndef TESSERA_KERNELS_CUDA_TILES_INSTRUCTIONS_CUH_
#define TESSERA_KERNELS_CUDA_TILES_INSTRUCTIONS_CUH_

#include <cstdint>

#include "kernels/cuda/tiles/device_code.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda::instructions {

// Ends a group of this thread's copies.
TESSERA_DEVICE void CommitCopies() {
  asm volatile("cp.async.commit_group;\n" ::: "memory");
}

// Waits until at most kPending of this thread's newest groups are under way.
template <int kPending>
TESSERA_DEVICE void WaitCopies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(kPending) : "memory");
}

// Loads four 8x8 matrices of 16-bit elements to registers[0..3]; lane 8m + r
// gives the address of row r of matrix m.
template <bool kTranspose>
TESSERA_DEVICE void LoadMatrices(uint32_t* registers, uint32_t address) {
  if constexpr (kTranspose) {
    asm volatile(
        "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 "
        "{%0, %1, %2, %3}, [%4];\n"
        : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]),
          "=r"(registers[3])
        : "r"(address)
        : "memory");
  } else {
    asm volatile(
        "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
        : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]),
          "=r"(registers[3])
        : "r"(address)
        : "memory");
  }
}

// sum[0..3] += a[0..3] b for a [16, 16], b [16, 8] of 16-bit elements and f32
// sums [16, 8]; who holds what is in fragment.h.
template <DType kElement>
TESSERA_DEVICE void MultiplyAdd(float* sum, const uint32_t* a, uint32_t b0,
                                uint32_t b1) {
  if constexpr (kElement == DType::kF16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

}  // namespace tessera::kernels::cuda::instructions

#endif  // TESSERA_KERNELS_CUDA_TILES_INSTRUCTIONS_CUH_
