// Attention of one tile of queries on Hopper.
//
// The producer's one thread copies Q, then K and V block by block by tensor
// map; two consumer warpgroups of 64 queries each compute. A consumer issues
// the scores of block i - 1 and then the outputs of block i, and turns the
// former into probabilities while the tensor cores work on the latter; the two
// consumers take turns, so that one issues products while the other computes
// exponentials (Shah et al. 2024, FlashAttention-3).
#ifndef TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_KERNEL_CUH_
#define TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_KERNEL_CUH_

#include <cuda_runtime.h>

#include "kernels/cuda/attention/hopper_params.h"
#include "kernels/cuda/attention/hopper_shape.h"
#include "kernels/cuda/attention/task.h"
#include "kernels/cuda/tiles/device_cta.cuh"
#include "kernels/cuda/tiles/fragment.h"
#include "kernels/cuda/tiles/hopper.cuh"
#include "kernels/cuda/tiles/key_blocks.h"
#include "kernels/cuda/tiles/online_softmax.h"
#include "kernels/cuda/tiles/ring.h"
#include "kernels/cuda/tiles/turns.h"
#include "kernels/cuda/tiles/wgmma.cuh"

namespace tessera::kernels::cuda {

// Where things lie in a block's shared memory.
template <int kHeadDim>
struct HopperShared {
  static constexpr HopperShape kShape = {kHeadDim};
  static constexpr int kKOffset = kShape.k_offset(0);
  static constexpr int kVOffset = kShape.v_offset(0);
  static constexpr int kStageBytes = kShape.kv_bytes();
  static constexpr int kBarriersOffset = kShape.barriers_offset();
  uint32_t base;  // a multiple of kSwizzleBytes

  TESSERA_DEVICE uint32_t q() const { return base; }
  TESSERA_DEVICE uint32_t k(int stage) const {
    return base + kKOffset + stage * kStageBytes;
  }
  TESSERA_DEVICE uint32_t v(int stage) const {
    return base + kVOffset + stage * kStageBytes;
  }
  TESSERA_DEVICE uint32_t q_full() const { return Barrier(0); }
  TESSERA_DEVICE uint32_t k_full(int stage) const { return Barrier(1, stage); }
  TESSERA_DEVICE uint32_t k_empty(int stage) const { return Barrier(2, stage); }
  TESSERA_DEVICE uint32_t v_full(int stage) const { return Barrier(3, stage); }
  TESSERA_DEVICE uint32_t v_empty(int stage) const { return Barrier(4, stage); }

 private:
  TESSERA_DEVICE uint32_t Barrier(int kind, int stage = 0) const {
    const int index =
        kind == 0 ? 0 : 1 + (kind - 1) * HopperShape::kStages + stage;
    return base + kBarriersOffset + 8 * index;
  }
};

// The producer: one thread.
template <int kHeadDim>
class HopperProducer {
 public:
  TESSERA_DEVICE HopperProducer(const HopperParams& params,
                                const HopperShared<kHeadDim>& shared)
      : params_(params), shared_(shared) {}

  // Copies everything that the consumers of this block read.
  TESSERA_DEVICE void Run(int blocks) {
    PrefetchMap(&params_.q);
    PrefetchMap(&params_.k);
    PrefetchMap(&params_.v);
    ArriveExpecting(shared_.q_full(), kShape.q_bytes());
    Copy(&params_.q, shared_.q(), blockIdx.x * kShape.kRows, kShape.kRows,
         shared_.q_full());
    auto k = Position::OfProducer(), v = Position::OfProducer();
    for (int block = blocks - 1; block >= 0; --block) {
      FillK(block, &k);
      if (block < blocks - 1) FillV(block + 1, &v);
    }
    FillV(0, &v);
  }

 private:
  static constexpr HopperShape kShape = {kHeadDim};
  using Position = RingPosition<kShape.kStages>;

  TESSERA_DEVICE void FillK(int block, Position* at) {
    WaitBarrier(shared_.k_empty(at->stage), at->parity);
    ArriveExpecting(shared_.k_full(at->stage), kShape.kv_bytes());
    Copy(&params_.k, shared_.k(at->stage), block * kShape.kKeys, kShape.kKeys,
         shared_.k_full(at->stage));
    at->Advance();
  }

  TESSERA_DEVICE void FillV(int block, Position* at) {
    WaitBarrier(shared_.v_empty(at->stage), at->parity);
    ArriveExpecting(shared_.v_full(at->stage), kShape.kv_bytes());
    Copy(&params_.v, shared_.v(at->stage), block * kShape.kKeys, kShape.kKeys,
         shared_.v_full(at->stage));
    at->Advance();
  }

  // Copies `rows` rows of this block's head and picture, page by page.
  TESSERA_DEVICE void Copy(const CUtensorMap* map, uint32_t to, int first,
                           int rows, uint32_t barrier) {
#pragma unroll
    for (int page = 0; page < kShape.pages(); ++page) {
      CopyBox(to + page * rows * kPageRowBytes, map, page * kPageColumns,
              blockIdx.y, first, blockIdx.z, barrier);
    }
  }

  const HopperParams& params_;
  const HopperShared<kHeadDim>& shared_;
};

// A consumer warpgroup. A thread holds two rows, 8 apart, of 64.
template <int kHeadDim, DType kElement>
class HopperConsumer {
 public:
  TESSERA_DEVICE HopperConsumer(const AttentionTask& task,
                                const HopperShared<kHeadDim>& shared, int group)
      : task_(task),
        shared_(shared),
        turns_{group},
        warp_(threadIdx.x / kWarpLanes % 4),
        lane_(threadIdx.x % kWarpLanes),
        blocks_{task.k.rows, task.first_query, kShape.kRows, kShape.kKeys,
                task.causal} {}

  // Computes and writes 64 queries.
  TESSERA_DEVICE void Run(int blocks) {
    if (turns_.ArrivesFirst(blocks - 1)) {
      ArriveNamed(turns_.other_barrier(), Turns::kThreads);
    }
    WaitBarrier(shared_.q_full(), 0);
    WaitBarrier(shared_.k_full(k_.stage), k_.parity);
    WgmmaFence();
    Scores();
    WgmmaCommit();
    WgmmaWait<0>();
    WgmmaPin(scores_);
    Release(shared_.k_empty(k_.stage), &k_);
    Softmax(blocks - 1);
    PackProbabilities();
    for (int block = blocks - 2; block >= 0; --block) {
      WaitBarrier(shared_.k_full(k_.stage), k_.parity);
      // V was asked for right after K. Waiting between the products would make
      // ptxas serialise them (C7520).
      WaitBarrier(shared_.v_full(v_.stage), v_.parity);
      SyncNamed(turns_.own_barrier(), Turns::kThreads);
      WgmmaFence();
      Scores();
      WgmmaCommit();
      Outputs();
      WgmmaCommit();
      if (turns_.ArrivesAfter(block)) {
        ArriveNamed(turns_.other_barrier(), Turns::kThreads);
      }
      WgmmaWait<1>();  // the scores
      WgmmaPin(scores_);
      Release(shared_.k_empty(k_.stage), &k_);
      Softmax(block);
      WgmmaWait<0>();  // the outputs
      WgmmaPin(outputs_);
      WgmmaPin(probabilities_);
      Release(shared_.v_empty(v_.stage), &v_);
      ScaleOutputs();
      PackProbabilities();
    }
    WaitBarrier(shared_.v_full(v_.stage), v_.parity);
    WgmmaFence();
    Outputs();
    WgmmaCommit();
    WgmmaWait<0>();
    WgmmaPin(outputs_);
    Finish();
  }

 private:
  using Cta = DeviceCta<kHopperShapes[0].kThreads>;
  static constexpr HopperShape kShape = {kHeadDim};
  static constexpr int kKeyTiles = kShape.kKeys / 8;
  static constexpr int kOutTiles = kHeadDim / 8;

  // scores_ = q k', as one group of products.
  TESSERA_DEVICE void Scores() {
    const uint32_t q = shared_.q() + turns_.group * 64 * kPageRowBytes;
    const uint32_t k = shared_.k(k_.stage);
#pragma unroll
    for (int step = 0; step < kHeadDim / 16; ++step) {
      WgmmaShared<kElement>(scores_, DescribeRows(q, kShape.kRows, step),
                            DescribeRows(k, kShape.kKeys, step), step > 0);
    }
  }

  // outputs_ += probabilities v; the first block's replace them.
  TESSERA_DEVICE void Outputs() {
    const uint32_t v = shared_.v(v_.stage);
#pragma unroll
    for (int step = 0; step < kShape.kKeys / 16; ++step) {
      WgmmaRegisters<kElement>(outputs_, probabilities_[step],
                               DescribeColumns(v, kShape.kKeys, step),
                               started_ || step > 0);
    }
    started_ = 1;
  }

  // Tells the producer that this warp has read a buffer, and goes on.
  TESSERA_DEVICE void Release(uint32_t empty,
                              RingPosition<kShape.kStages>* at) {
    if (lane_ == 0) Arrive(empty);
    at->Advance();
  }

  // Turns scores of a block into probabilities, in place.
  TESSERA_DEVICE void Softmax(int block) {
    if (blocks_.Masks(block)) Mask(int64_t{block} * kShape.kKeys);
    float largest[2] = {kMasked, kMasked};
#pragma unroll
    for (int i = 0; i < kKeyTiles * 4; ++i) {
      float& x = largest[i / 2 % 2];
      x = Cta::Max(x, scores_[i]);
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float x = largest[r];
      x = Cta::Max(x, __shfl_xor_sync(0xffffffffu, x, 1));
      x = Cta::Max(x, __shfl_xor_sync(0xffffffffu, x, 2));
      factors_[r] = maximum_[r].template Raise<Cta>(x * task_.scale_log2);
      sum_[r] *= factors_[r];
    }
#pragma unroll
    for (int i = 0; i < kKeyTiles * 4; ++i) {
      const int r = i / 2 % 2;
      scores_[i] = Probability<Cta>(scores_[i], task_.scale_log2,
                                    maximum_[r].Reference());
      sum_[r] += scores_[i];
    }
  }

  // Takes out scores of keys that a row does not see.
  TESSERA_DEVICE void Mask(int64_t first_key) {
    const int64_t first = task_.first_query + turns_.group * 64 + 16 * warp_;
#pragma unroll
    for (int i = 0; i < kKeyTiles * 4; ++i) {
      const Cell cell = CellOfC(lane_, i % 4);
      if (!blocks_.Sees(first + cell.row,
                        first_key + 8 * (i / 4) + cell.column)) {
        scores_[i] = kMasked;
      }
    }
  }

  TESSERA_DEVICE void ScaleOutputs() {
#pragma unroll
    for (int i = 0; i < kOutTiles * 4; ++i) outputs_[i] *= factors_[i / 2 % 2];
  }

  // Rounds probabilities into the A operand of the next products.
  TESSERA_DEVICE void PackProbabilities() {
#pragma unroll
    for (int i = 0; i < kKeyTiles * 2; ++i) {
      probabilities_[i / 4][i % 4] =
          Cta::template Pack<kElement>(scores_[2 * i], scores_[2 * i + 1]);
    }
  }

  // Divides by the sums and writes the rows by way of the queries' memory.
  TESSERA_DEVICE void Finish() {
    float inverse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float x = sum_[r];
      x += __shfl_xor_sync(0xffffffffu, x, 1);
      x += __shfl_xor_sync(0xffffffffu, x, 2);
      inverse[r] = InverseSum(x);
    }
    // All four warps have seen the end of the products that read these rows.
    SyncNamed(3 + turns_.group, 128);
#pragma unroll
    for (int i = 0; i < kOutTiles * 4; i += 2) {
      const int r = i / 2 % 2;
      const Cell cell = CellOfC(lane_, 2 * r);
      asm volatile("st.shared.b32 [%0], %1;\n" ::"r"(
                       OutAddress(cell.row, i / 4) + cell.column * 2),
                   "r"(Cta::template Pack<kElement>(
                       outputs_[i] * inverse[r], outputs_[i + 1] * inverse[r]))
                   : "memory");
    }
    __syncwarp();
    WriteRows();
  }

  // Writes this warp's 16 rows, 16 bytes a lane.
  TESSERA_DEVICE void WriteRows() {
    const int64_t first = task_.first_query + turns_.group * 64 + 16 * warp_;
#pragma unroll 4
    for (int i = lane_; i < 16 * kOutTiles; i += kWarpLanes) {
      const int row = i / kOutTiles, chunk = i % kOutTiles;
      if (first + row >= task_.q.rows || chunk * 8 >= task_.q.columns) continue;
      uint4 x;
      asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];\n"
                   : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
                   : "r"(OutAddress(row, chunk))
                   : "memory");
      *reinterpret_cast<uint4*>(task_.out + (first + row) * task_.out_pitch +
                                chunk * 8) = x;
    }
  }

  // Returns where a chunk of one of this warp's rows of output is put.
  TESSERA_DEVICE uint32_t OutAddress(int row, int chunk) const {
    const int in_tile = turns_.group * 64 + 16 * warp_ + row;
    return Swizzle128(shared_.q() +
                      (chunk / 8 * kShape.kRows + in_tile) * kPageRowBytes +
                      chunk % 8 * 16);
  }

  const AttentionTask& task_;
  const HopperShared<kHeadDim>& shared_;
  const Turns turns_;
  const int warp_, lane_;
  const KeyBlocks blocks_;
  RingPosition<kShape.kStages> k_, v_;  // start as consumers do
  int started_ = 0;
  float scores_[kKeyTiles * 4];
  float outputs_[kOutTiles * 4];
  uint32_t probabilities_[kShape.kKeys / 16][4];
  RowMaximum maximum_[2];
  float sum_[2] = {0.0f, 0.0f};
  float factors_[2];
};

// A block computes a tile of one head of one picture.
template <int kHeadDim, DType kElement>
__global__ void __launch_bounds__(HopperShape::kThreads, 1)
    HopperAttentionKernel(const __grid_constant__ HopperParams params) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  constexpr HopperShape kShape = {kHeadDim};
  extern __shared__ unsigned char hopper_shared[];
  const auto window =
      static_cast<uint32_t>(__cvta_generic_to_shared(hopper_shared));
  const HopperShared<kHeadDim> shared = {(window + kSwizzleBytes - 1) /
                                         kSwizzleBytes * kSwizzleBytes};
  if (threadIdx.x == 0) {
    InitBarrier(shared.q_full(), 1);
    for (int stage = 0; stage < kShape.kStages; ++stage) {
      InitBarrier(shared.k_full(stage), 1);
      InitBarrier(shared.v_full(stage), 1);
      InitBarrier(shared.k_empty(stage), 4 * kShape.kConsumers);
      InitBarrier(shared.v_empty(stage), 4 * kShape.kConsumers);
    }
    FenceBarriers();
  }
  __syncthreads();
  const AttentionTask task = TaskOf(params.attention, blockIdx.z, blockIdx.y,
                                    int64_t{kShape.kRows} * blockIdx.x);
  const int blocks = static_cast<int>(KeyBlocks{
      task.k.rows, task.first_query, kShape.kRows, kShape.kKeys, task.causal}
                                          .count());
  // The same in all lanes, as the compiler must see to keep wgmma unserialised.
  const int warpgroup = __shfl_sync(0xffffffffu, threadIdx.x / 128, 0);
  if (warpgroup == 0) {
    ShrinkRegisters<kShape.kProducerRegisters>();
    if (threadIdx.x == 0) HopperProducer<kHeadDim>(params, shared).Run(blocks);
  } else {
    GrowRegisters<kShape.kConsumerRegisters>();
    HopperConsumer<kHeadDim, kElement>(task, shared, warpgroup - 1).Run(blocks);
  }
#endif
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ATTENTION_HOPPER_KERNEL_CUH_
