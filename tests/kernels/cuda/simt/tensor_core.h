// Stands in for kernels/cuda/tensor_core.cuh: the same functions, each as the
// PTX ISA defines its instruction, with tables of its own. Copies happen when
// they are waited for, and no sooner.
#ifndef TESSERA_TESTS_KERNELS_CUDA_SIMT_TENSOR_CORE_H_
#define TESSERA_TESTS_KERNELS_CUDA_SIMT_TENSOR_CORE_H_

#define TESSERA_KERNELS_CUDA_TENSOR_CORE_CUH_

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "tests/kernels/cuda/simt/block.h"

namespace tessera::kernels::cuda {

// Aborts on an address that the instructions do not take.
inline void RequireAligned16(const void* address) {
  if (reinterpret_cast<uintptr_t>(address) % 16 == 0) return;
  std::fprintf(stderr, "simt: address is not aligned to 16 bytes\n");
  std::abort();
}

inline void CopyAsync16(void* shared, const void* global) {
  RequireAligned16(shared);
  RequireAligned16(global);
  simt::Block::Running().Defer(
      [shared, global] { std::memcpy(shared, global, 16); });
}

inline void CommitCopies() { simt::Block::Running().Commit(); }

template <int kPending>
void WaitCopies() {
  simt::Block::Running().Wait(kPending);
}

// Gives lane L the elements 2 (L mod 4) and 2 (L mod 4) + 1 of row L / 4 of
// each matrix; lane 8m + r says where row r of matrix m is.
inline void LoadMatrices(uint32_t (&registers)[4], const void* shared) {
  struct Operand {
    uint32_t* registers;
    const char* row;
  } operand = {registers, static_cast<const char*>(shared)};
  RequireAligned16(shared);
  simt::Block::Running().Meet(&operand, [](void* const* operands) {
    const auto of = [&](int lane) {
      return static_cast<Operand*>(operands[lane]);
    };
    for (int lane = 0; lane < simt::kLanes; ++lane) {
      for (int matrix = 0; matrix < 4; ++matrix) {
        const char* const row = of(8 * matrix + lane / 4)->row;
        std::memcpy(&of(lane)->registers[matrix], row + lane % 4 * 4, 4);
      }
    }
  });
}

// Returns the low or high 16-bit element of a register.
template <typename T>
float ElementOf(uint32_t word, int half) {
  const auto bits = static_cast<uint16_t>(word >> (16 * half));
  const T element = std::bit_cast<T>(bits);
  if constexpr (std::is_same_v<T, __half>) {
    return __half2float(element);
  } else {
    return __bfloat162float(element);
  }
}

// Gathers the matrices from all lanes, multiplies, and scatters. Within one
// instruction the order of additions is not defined; this is in order of k.
template <typename T>
void MultiplyAdd(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0,
                 uint32_t b1) {
  struct Operand {
    float* sum;
    const uint32_t* a;
    uint32_t b[2];
  } operand = {sum, a, {b0, b1}};
  simt::Block::Running().Meet(&operand, [](void* const* operands) {
    float left[16][16], right[16][8];
    for (int lane = 0; lane < simt::kLanes; ++lane) {
      const auto* const from = static_cast<Operand*>(operands[lane]);
      const int group = lane / 4, member = lane % 4;
      for (int half = 0; half < 2; ++half) {
        const int k = 2 * member + half;
        left[group][k] = ElementOf<T>(from->a[0], half);
        left[group + 8][k] = ElementOf<T>(from->a[1], half);
        left[group][k + 8] = ElementOf<T>(from->a[2], half);
        left[group + 8][k + 8] = ElementOf<T>(from->a[3], half);
        right[k][group] = ElementOf<T>(from->b[0], half);
        right[k + 8][group] = ElementOf<T>(from->b[1], half);
      }
    }
    for (int lane = 0; lane < simt::kLanes; ++lane) {
      auto* const to = static_cast<Operand*>(operands[lane])->sum;
      for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + 8 * (i / 2);
        const int column = 2 * (lane % 4) + i % 2;
        for (int k = 0; k < 16; ++k) to[i] += left[row][k] * right[k][column];
      }
    }
  });
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_KERNELS_CUDA_SIMT_TENSOR_CORE_H_
