// A thread block in lockstep: DeviceCta's interface on the CPU.
//
// Every collective runs for all lanes of all warps at once, by the fragment
// layouts as the PTX ISA words them, not by the maps of fragment.h. What it
// cannot show: the tensor cores' order of additions, ex2's last bits, time.
#ifndef TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_CTA_H_
#define TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_CTA_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

#include "kernels/dtype.h"
#include "tests/kernels/cuda/attention/bank_conflicts.h"
#include "tests/kernels/cuda/attention/emulated_shared.h"
#include "tests/kernels/cuda/attention/half_bits.h"

namespace tessera::kernels::cuda {

// 16 bytes as four registers.
struct Chunk {
  uint32_t words[4];
};

// See DeviceCta, whose members these are.
template <int kThreadCount>
class EmulatedCta {
 public:
  static constexpr int kThreads = kThreadCount;
  static constexpr int kWarps = kThreads / 32;

  // Registers of all threads; not a number until written.
  template <typename T, int N>
  struct Registers {
    Registers() : values(kThreads) {
      for (auto& v : values) std::memset(static_cast<void*>(&v), 0xFF, N * 4);
    }
    T* of(int thread) { return values[thread].data(); }
    const T* of(int thread) const { return values[thread].data(); }
    std::vector<std::array<T, N>> values;
  };

  explicit EmulatedCta(int shared_bytes)
      : shared_(shared_bytes, kThreads), groups_(kThreads) {}

  EmulatedShared& shared() { return shared_; }
  BankConflicts& conflicts() { return conflicts_; }

  template <typename Body>
  void Each(Body body) {
    for (int thread = 0; thread < kThreads; ++thread) {
      conflicts_.Begin(thread);
      body(thread);
    }
    conflicts_.End();
  }

  void Barrier() { shared_.Barrier(); }
  void WarpBarrier() {
    for (int warp = 0; warp < kWarps; ++warp) shared_.WarpBarrier(warp);
  }

  void CopyAsync(int thread, int offset, const void* source, bool valid) {
    Copy copy = {offset, {}};
    if (valid) {
      if (reinterpret_cast<uintptr_t>(source) % 16 != 0) {
        shared_.Report("source of a copy not aligned to 16 bytes");
      }
      std::memcpy(copy.words.data(), source, 16);
    }
    shared_.BeginCopy(thread, offset);
    conflicts_.Access(SharedAccess::kCopy, offset, 16);
    open_.resize(kThreads);
    open_[thread].push_back(copy);
  }

  void CommitCopies() {
    open_.resize(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
      groups_[thread].push_back(std::move(open_[thread]));
      open_[thread].clear();
    }
  }

  template <int kPending>
  void WaitCopies() {
    for (int thread = 0; thread < kThreads; ++thread) {
      while (groups_[thread].size() > kPending) {
        for (const Copy& copy : groups_[thread].front()) {
          shared_.EndCopy(thread, copy.offset, copy.words.data());
        }
        groups_[thread].pop_front();
      }
    }
  }

  template <bool kTranspose, int N, typename Address>
  void LoadMatrices(Registers<uint32_t, N>& out, int first, Address address) {
    for (int warp = 0; warp < kWarps; ++warp) {
      uint16_t rows[32][8];  // row r of matrix m at 8 * m + r
      for (int lane = 0; lane < 32; ++lane) {
        const int thread = warp * 32 + lane;
        conflicts_.Begin(thread);
        conflicts_.Access(SharedAccess::kMatrix, address(thread), 16);
        shared_.Read(thread, address(thread), rows[lane], 16);
      }
      conflicts_.End();
      for (int lane = 0; lane < 32; ++lane) {
        for (int m = 0; m < 4; ++m) {
          const int major = lane / 4, minor = 2 * (lane % 4);
          const uint32_t low = kTranspose ? rows[8 * m + minor][major]
                                          : rows[8 * m + major][minor];
          const uint32_t high = kTranspose ? rows[8 * m + minor + 1][major]
                                           : rows[8 * m + major][minor + 1];
          out.of(warp * 32 + lane)[first + m] = low | high << 16;
        }
      }
    }
  }

  // PTX ISA, figures of mma.m16n8k16 with .f16 and .bf16.
  template <DType kElement, int D, int A, int B>
  void Mma(Registers<float, D>& d, int di, const Registers<uint32_t, A>& a,
           int ai, const Registers<uint32_t, B>& b, int bi) {
    for (int warp = 0; warp < kWarps; ++warp) {
      double x[16][16], y[16][8];
      for (int lane = 0; lane < 32; ++lane) {
        const int thread = warp * 32 + lane, group = lane >> 2, in = lane % 4;
        for (int i = 0; i < 8; ++i) {
          const int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
          const int column = in * 2 + (i & 1) + (i < 4 ? 0 : 8);
          x[row][column] = Half<kElement>(a.of(thread)[ai + i / 2], i % 2);
        }
        for (int i = 0; i < 4; ++i) {
          const int row = in * 2 + (i & 1) + (i < 2 ? 0 : 8);
          y[row][group] = Half<kElement>(b.of(thread)[bi + i / 2], i % 2);
        }
      }
      for (int lane = 0; lane < 32; ++lane) {
        const int thread = warp * 32 + lane, group = lane >> 2, in = lane % 4;
        for (int i = 0; i < 4; ++i) {
          const int row = i < 2 ? group : group + 8;
          const int column = in * 2 + (i & 1);
          float& sum = d.of(thread)[di + i];
          double exact = sum;
          for (int k = 0; k < 16; ++k) exact += x[row][k] * y[k][column];
          sum = static_cast<float>(exact);
        }
      }
    }
  }

  template <int N>
  void QuadMax(Registers<float, N>& x) {
    Butterfly(x, [](float p, float q) { return Max(p, q); });
  }
  template <int N>
  void QuadSum(Registers<float, N>& x) {
    Butterfly(x, [](float p, float q) { return p + q; });
  }

  void Store32(int thread, int offset, uint32_t word) {
    conflicts_.Access(SharedAccess::kStore, offset, 4);
    shared_.Write(thread, offset, &word, 4);
  }
  void Store64(int thread, int offset, float x, float y) {
    const float pair[2] = {x, y};
    conflicts_.Access(SharedAccess::kStore, offset, 8);
    shared_.Write(thread, offset, pair, 8);
  }
  void Load64(int thread, int offset, float* x, float* y) {
    float pair[2];
    conflicts_.Access(SharedAccess::kLoad, offset, 8);
    shared_.Read(thread, offset, pair, 8);
    *x = pair[0];
    *y = pair[1];
  }
  Chunk Load128(int thread, int offset) {
    Chunk chunk;
    conflicts_.Access(SharedAccess::kLoad, offset, 16);
    shared_.Read(thread, offset, chunk.words, 16);
    return chunk;
  }
  void StoreGlobal(int, void* at, const Chunk& chunk) {
    if (reinterpret_cast<uintptr_t>(at) % 16 != 0) {
      shared_.Report("store not aligned to 16 bytes");
    }
    std::memcpy(at, chunk.words, 16);
  }

  template <DType kElement>
  static uint32_t Pack(float low, float high) {
    return ToBits(kElement, low) | static_cast<uint32_t>(ToBits(kElement, high))
                                       << 16;
  }

  static float Max(float x, float y) { return std::fmax(x, y); }
  static float Fma(float x, float y, float z) { return std::fma(x, y, z); }
  static float Exp2(float x) { return std::exp2(x); }

 private:
  // A copy of 16 bytes under way.
  struct Copy {
    int offset;
    std::array<uint32_t, 4> words;
  };

  template <DType kElement>
  static double Half(uint32_t pair, int which) {
    return FromBits(kElement, static_cast<uint16_t>(pair >> (16 * which)));
  }

  // Combines each value with those of lanes that differ in bit 0, then bit 1.
  template <int N, typename Combine>
  static void Butterfly(Registers<float, N>& x, Combine combine) {
    for (const int bit : {1, 2}) {
      const Registers<float, N> before = x;
      for (int thread = 0; thread < kThreads; ++thread) {
        for (int i = 0; i < N; ++i) {
          x.of(thread)[i] =
              combine(before.of(thread)[i], before.of(thread ^ bit)[i]);
        }
      }
    }
  }

  EmulatedShared shared_;
  BankConflicts conflicts_;
  std::vector<std::vector<Copy>> open_;                // of each thread
  std::vector<std::deque<std::vector<Copy>>> groups_;  // of each thread
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_CTA_H_
