// The machine under tile algorithms: a thread block, in PTX for sm_80.
//
// Tests run the same algorithms on a lockstep emulation with this interface.
// An algorithm keeps registers in Registers, works on its own ones in Each,
// and calls the collectives (ldmatrix, mma, reductions, barriers) outside of
// it, where all threads are together.
#ifndef TESSERA_KERNELS_CUDA_TILES_DEVICE_CTA_CUH_
#define TESSERA_KERNELS_CUDA_TILES_DEVICE_CTA_CUH_

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "kernels/cuda/tiles/device_code.h"
#include "kernels/cuda/tiles/instructions.cuh"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// 16 bytes as four registers.
struct Chunk {
  uint32_t words[4];
};

// A thread block of kThreads threads. Addresses are byte offsets into its
// dynamic shared memory.
template <int kThreadCount>
class DeviceCta {
 public:
  static constexpr int kThreads = kThreadCount;

  // N registers of every thread.
  template <typename T, int N>
  struct Registers {
    T values[N];

    // Returns the registers of a thread: on the device there is one.
    TESSERA_DEVICE T* of(int) { return values; }
    TESSERA_DEVICE const T* of(int) const { return values; }
  };

  // Takes the start of dynamic shared memory, aligned to 128 bytes.
  TESSERA_DEVICE explicit DeviceCta(void* shared)
      : shared_(static_cast<uint32_t>(__cvta_generic_to_shared(shared))) {}

  // Calls body(thread) for every thread.
  template <typename Body>
  TESSERA_DEVICE void Each(Body body) {
    body(static_cast<int>(threadIdx.x));
  }

  // Waits for all threads of the block; shared memory is then as they left it.
  TESSERA_DEVICE void Barrier() { __syncthreads(); }

  // The same among the threads of each warp.
  TESSERA_DEVICE void WarpBarrier() { __syncwarp(); }

  // Begins to copy 16 bytes to shared memory; zeroes instead of an invalid
  // source, which is then not read.
  TESSERA_DEVICE void CopyAsync(int, int offset, const void* source,
                                bool valid) {
    const uint64_t global = __cvta_generic_to_global(source);
    asm volatile(
        "cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;\n" ::"r"(
            shared_ + offset),
        "l"(global), "r"(valid ? 16 : 0)
        : "memory");
  }

  // Ends a group of copies of every thread.
  TESSERA_DEVICE void CommitCopies() { instructions::CommitCopies(); }

  // Waits until at most kPending of a thread's own groups are under way;
  // other threads' copies are visible after a barrier.
  template <int kPending>
  TESSERA_DEVICE void WaitCopies() {
    instructions::WaitCopies<kPending>();
  }

  // Loads four 8x8 matrices into out[first .. first + 3] of every thread;
  // address(thread) is where a thread's row of 16 bytes lies.
  template <bool kTranspose, int N, typename Address>
  TESSERA_DEVICE void LoadMatrices(Registers<uint32_t, N>& out, int first,
                                   Address address) {
    instructions::LoadMatrices<kTranspose>(
        out.values + first, shared_ + address(static_cast<int>(threadIdx.x)));
  }

  // d[di..] += a[ai..] b[bi..] by mma.m16n8k16 in every warp, f32 sums.
  template <DType kElement, int D, int A, int B>
  TESSERA_DEVICE void Mma(Registers<float, D>& d, int di,
                          const Registers<uint32_t, A>& a, int ai,
                          const Registers<uint32_t, B>& b, int bi) {
    instructions::MultiplyAdd<kElement>(d.values + di, a.values + ai,
                                        b.values[bi], b.values[bi + 1]);
  }

  // Replaces each of N values by the largest of, or the sum over, the four
  // lanes that share rows of an accumulator.
  template <int N>
  TESSERA_DEVICE void QuadMax(Registers<float, N>& x) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      x.values[i] = Max(x.values[i], Neighbour(x.values[i], 1));
      x.values[i] = Max(x.values[i], Neighbour(x.values[i], 2));
    }
  }
  template <int N>
  TESSERA_DEVICE void QuadSum(Registers<float, N>& x) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      x.values[i] += Neighbour(x.values[i], 1);
      x.values[i] += Neighbour(x.values[i], 2);
    }
  }

  // Stores and loads of one thread in shared memory.
  TESSERA_DEVICE void Store32(int, int offset, uint32_t word) {
    asm volatile("st.shared.b32 [%0], %1;\n" ::"r"(shared_ + offset), "r"(word)
                 : "memory");
  }
  TESSERA_DEVICE void Store64(int, int offset, float x, float y) {
    asm volatile("st.shared.v2.f32 [%0], {%1, %2};\n" ::"r"(shared_ + offset),
                 "f"(x), "f"(y)
                 : "memory");
  }
  TESSERA_DEVICE void Load64(int, int offset, float* x, float* y) const {
    asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];\n"
                 : "=f"(*x), "=f"(*y)
                 : "r"(shared_ + offset)
                 : "memory");
  }
  TESSERA_DEVICE Chunk Load128(int, int offset) const {
    Chunk chunk;
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(chunk.words[0]), "=r"(chunk.words[1]),
                   "=r"(chunk.words[2]), "=r"(chunk.words[3])
                 : "r"(shared_ + offset)
                 : "memory");
    return chunk;
  }

  // Writes 16 aligned bytes of global memory.
  TESSERA_DEVICE void StoreGlobal(int, void* at, const Chunk& chunk) {
    *static_cast<uint4*>(at) = make_uint4(chunk.words[0], chunk.words[1],
                                          chunk.words[2], chunk.words[3]);
  }

  // Rounds two values to the element type, the first in the low half.
  template <DType kElement>
  static TESSERA_DEVICE uint32_t Pack(float low, float high) {
    uint32_t packed;
    if constexpr (kElement == DType::kF16) {
      asm("cvt.rn.f16x2.f32 %0, %1, %2;\n"
          : "=r"(packed)
          : "f"(high), "f"(low));
    } else {
      asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n"
          : "=r"(packed)
          : "f"(high), "f"(low));
    }
    return packed;
  }

  static TESSERA_DEVICE float Max(float x, float y) { return fmaxf(x, y); }
  static TESSERA_DEVICE float Fma(float x, float y, float z) {
    return fmaf(x, y, z);
  }
  static TESSERA_DEVICE float Exp2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
    return y;
  }

 private:
  // Returns the value of the lane whose number differs in `bit`.
  static TESSERA_DEVICE float Neighbour(float x, int bit) {
    return __shfl_xor_sync(0xffffffffu, x, bit);
  }

  uint32_t shared_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_DEVICE_CTA_CUH_
