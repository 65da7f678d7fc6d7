// wgmma: products of a warpgroup with an operand in shared memory.
//
// Between WgmmaFence and WgmmaWait nobody touches accumulators or A registers.
#ifndef TESSERA_KERNELS_CUDA_TILES_WGMMA_CUH_
#define TESSERA_KERNELS_CUDA_TILES_WGMMA_CUH_

#include <cstdint>

#include "kernels/cuda/tiles/device_code.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Orders this thread's writes of accumulators and A registers before the next
// products.
TESSERA_DEVICE void WgmmaFence() {
  asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory");
}

// Ends a group of products.
TESSERA_DEVICE void WgmmaCommit() {
  asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory");
}

// Waits until at most kPending groups are under way.
template <int kPending>
TESSERA_DEVICE void WgmmaWait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(kPending)
               : "memory");
}

// Keeps the compiler from moving uses of registers across this point: to it,
// nothing ties an accumulator to the wait that ends its product.
template <int N>
TESSERA_DEVICE void WgmmaPin(float (&x)[N]) {
#pragma unroll
  for (int i = 0; i < N; ++i) asm volatile("" : "+f"(x[i])::"memory");
}
template <int M, int N>
TESSERA_DEVICE void WgmmaPin(uint32_t (&x)[M][N]) {
#pragma unroll
  for (int i = 0; i < M * N; ++i) {
    asm volatile("" : "+r"(x[i / N][i % N])::"memory");
  }
}

// The accumulators in the text of the instructions below, and as their
// operands: operands of asm can neither be an array nor be counted by a
// template.
#define TESSERA_WGMMA_NAMES_32                              \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, " \
  "%13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, " \
  "%24, %25, %26, %27, %28, %29, %30, %31"
#define TESSERA_WGMMA_NAMES_64                              \
  TESSERA_WGMMA_NAMES_32                                    \
  ", "                                                      \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, " \
  "%43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, " \
  "%54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define TESSERA_WGMMA_SUMS_32(d)                                          \
  "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), \
      "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]),        \
      "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),    \
      "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]),    \
      "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]), "+f"(d[25]),    \
      "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]),    \
      "+f"(d[31])
#define TESSERA_WGMMA_SUMS_64(d)                                       \
  TESSERA_WGMMA_SUMS_32(d), "+f"(d[32]), "+f"(d[33]), "+f"(d[34]),     \
      "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), \
      "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), \
      "+f"(d[45]), "+f"(d[46]), "+f"(d[47]), "+f"(d[48]), "+f"(d[49]), \
      "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), \
      "+f"(d[55]), "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), \
      "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63])

// One instruction: `columns` of b, the type of the elements, the names of the
// accumulators, then which operand is what. `accumulate` is the last operand,
// number `flag`.
#define TESSERA_WGMMA(flag, columns, type, names, operands)            \
  "{\n.reg .pred p;\nsetp.ne.b32 p, %" #flag                           \
  ", 0;\n wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." #type \
  "." #type " {" names "}, " operands ";\n}\n"

// d [64, 128] (+)= a b' for rows of a and of b along k, both described by
// DescribeRows. Replaces d unless `accumulate`.
template <DType kElement>
TESSERA_DEVICE void WgmmaShared(float (&d)[64], uint64_t a, uint64_t b,
                                int accumulate) {
#define TESSERA_WGMMA_SHARED(type)                                  \
  asm volatile(TESSERA_WGMMA(66, 128, type, TESSERA_WGMMA_NAMES_64, \
                             "%64, %65, p, 1, 1, 0, 0")             \
               : TESSERA_WGMMA_SUMS_64(d)                           \
               : "l"(a), "l"(b), "r"(accumulate))
  if constexpr (kElement == DType::kF16) {
    TESSERA_WGMMA_SHARED(f16);
  } else {
    TESSERA_WGMMA_SHARED(bf16);
  }
#undef TESSERA_WGMMA_SHARED
}

// The same with `a` in registers, whose operands follow the accumulators.
#define TESSERA_WGMMA_REGISTERS(flag, columns, type, names, sums, operands) \
  asm volatile(TESSERA_WGMMA(flag, columns, type, names, operands)          \
               : sums(d)                                                    \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b),        \
                 "r"(accumulate))

// d [64, 64] or [64, 128] (+)= a b for rows of b along n, described by
// DescribeColumns; `a` is in registers, laid out as for mma.m16n8k16.
template <DType kElement>
TESSERA_DEVICE void WgmmaRegisters(float (&d)[32], const uint32_t (&a)[4],
                                   uint64_t b, int accumulate) {
#define TESSERA_WGMMA_64(type)                                  \
  TESSERA_WGMMA_REGISTERS(37, 64, type, TESSERA_WGMMA_NAMES_32, \
                          TESSERA_WGMMA_SUMS_32,                \
                          "{%32, %33, %34, %35}, %36, p, 1, 1, 1")
  if constexpr (kElement == DType::kF16) {
    TESSERA_WGMMA_64(f16);
  } else {
    TESSERA_WGMMA_64(bf16);
  }
#undef TESSERA_WGMMA_64
}
template <DType kElement>
TESSERA_DEVICE void WgmmaRegisters(float (&d)[64], const uint32_t (&a)[4],
                                   uint64_t b, int accumulate) {
#define TESSERA_WGMMA_128(type)                                  \
  TESSERA_WGMMA_REGISTERS(69, 128, type, TESSERA_WGMMA_NAMES_64, \
                          TESSERA_WGMMA_SUMS_64,                 \
                          "{%64, %65, %66, %67}, %68, p, 1, 1, 1")
  if constexpr (kElement == DType::kF16) {
    TESSERA_WGMMA_128(f16);
  } else {
    TESSERA_WGMMA_128(bf16);
  }
#undef TESSERA_WGMMA_128
}
#undef TESSERA_WGMMA_REGISTERS
#undef TESSERA_WGMMA
#undef TESSERA_WGMMA_NAMES_32
#undef TESSERA_WGMMA_NAMES_64
#undef TESSERA_WGMMA_SUMS_32
#undef TESSERA_WGMMA_SUMS_64

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_WGMMA_CUH_
