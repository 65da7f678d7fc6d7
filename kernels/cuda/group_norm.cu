// Group norm in two passes over the picture.
//
// First pass: a thread owns one pack of channels and walks every `lanes`-th
// pixel of its slice, summing differences from the first value it met (so that
// a large mean costs no digits). The block folds its threads' (mean, m2) into
// one partial a group. A small kernel then combines the partials in the order
// of their slices. Second pass: normalise, scale, shift, SiLU. Both passes move
// 16 bytes a thread and are bound by memory: the picture is read twice and
// written once.

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/element.cuh"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/group_norm.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/warp.cuh"

namespace tessera::kernels::cuda {
namespace {

// Returns the first pixel of this block's slice, in elements of one channel.
__device__ inline int64_t FirstElement(const GroupNormParams& params,
                                       const GroupNormPlan& plan, int64_t pixel,
                                       int64_t channel) {
  return (blockIdx.z * params.pixels + blockIdx.x * plan.slice_pixels + pixel) *
             params.channels +
         channel;
}

// Where the partials and the statistics of picture `picture` lie.
struct Workspace {
  GroupNormPartial* partials;       // [slices, groups]
  GroupNormStatistics* statistics;  // [groups]

  __device__ Workspace(const GroupNormParams& params, const GroupNormPlan& plan,
                       int64_t picture)
      : partials(reinterpret_cast<GroupNormPartial*>(
            static_cast<char*>(params.workspace) +
            picture * plan.picture_bytes)),
        statistics(reinterpret_cast<GroupNormStatistics*>(
            partials + plan.slices * params.groups)) {}
};

// Combines `count` partials by one warp: `weight(i)` is how many values
// partial i is about, `partial(i)` the partial; `total` sums the weights.
template <typename WeightOf, typename PartialOf>
__device__ GroupNormPartial Combine(int64_t count, float total,
                                    const WeightOf& weight,
                                    const PartialOf& partial) {
  const int lane = threadIdx.x % 32;
  float sum = 0;
  for (int64_t i = lane; i < count; i += 32) {
    sum = fmaf(weight(i), partial(i).mean, sum);
  }
  const float mean = WarpSum(sum) / total;
  float m2 = 0;
  for (int64_t i = lane; i < count; i += 32) {
    const GroupNormPartial p = partial(i);
    const float difference = p.mean - mean;
    m2 += fmaf(weight(i) * difference, difference, p.m2);
  }
  return {mean, WarpSum(m2)};
}

// Grid (slices, chunks, n): one partial a group of the chunk.
template <typename T, int kWidth>
__global__ void __launch_bounds__(kGroupNormThreads)
    PartialKernel(GroupNormParams params, GroupNormPlan plan) {
  // [lane][channel of the chunk]
  GroupNormPartial* const shared = SharedMemory<GroupNormPartial>();
  const int64_t pixels = plan.PixelsOf(blockIdx.x, params.pixels);
  const int64_t chunk_channels = plan.chunk_packs * kWidth;
  const int64_t first_channel = blockIdx.y * chunk_channels;
  const int lane = threadIdx.x / plan.pack_threads;
  const T* const input = static_cast<const T*>(params.input);

  for (int64_t pack = threadIdx.x % plan.pack_threads;
       lane < plan.lanes && pack < plan.chunk_packs;
       pack += plan.pack_threads) {
    float shift[kWidth] = {}, sum[kWidth] = {}, square[kWidth] = {};
    const T* const values =
        input + FirstElement(params, plan, 0, first_channel + pack * kWidth);
    if (lane < pixels) {
      const auto x = *reinterpret_cast<const Pack<T, kWidth>*>(
          values + lane * params.channels);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) shift[i] = ToFloat(x.v[i]);
    }
#pragma unroll 4
    for (int64_t pixel = lane; pixel < pixels; pixel += plan.lanes) {
      const auto x = *reinterpret_cast<const Pack<T, kWidth>*>(
          values + pixel * params.channels);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        const float difference = ToFloat(x.v[i]) - shift[i];
        sum[i] += difference;
        square[i] = fmaf(difference, difference, square[i]);
      }
    }
    // Is 0 for a lane that a short last slice leaves without pixels.
    const float count = (pixels - lane + plan.lanes - 1) / plan.lanes;
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float mean = count > 0 ? sum[i] / count : 0;
      shared[lane * chunk_channels + pack * kWidth + i] = {
          shift[i] + mean, fmaxf(fmaf(-sum[i], mean, square[i]), 0)};
    }
  }
  __syncthreads();

  const Workspace workspace(params, plan, blockIdx.z);
  const float total = static_cast<float>(pixels * plan.group_channels);
  for (int group = threadIdx.x / 32; group < plan.chunk_groups;
       group += blockDim.x / 32) {
    const auto lane_of = [&](int64_t i) { return i / plan.group_channels; };
    const GroupNormPartial partial = Combine(
        plan.lanes * plan.group_channels, total,
        [&](int64_t i) -> float {
          return (pixels - lane_of(i) + plan.lanes - 1) / plan.lanes;
        },
        [&](int64_t i) {
          const int64_t channel = i - lane_of(i) * plan.group_channels;
          return shared[lane_of(i) * chunk_channels +
                        group * plan.group_channels + channel];
        });
    if (threadIdx.x % 32 == 0) {
      workspace.partials[blockIdx.x * params.groups +
                         blockIdx.y * plan.chunk_groups + group] = partial;
    }
  }
}

// A warp a group: grid (groups / warps, n).
__global__ void __launch_bounds__(kGroupNormThreads)
    CombineKernel(GroupNormParams params, GroupNormPlan plan) {
  const int64_t group = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  if (group >= params.groups) return;  // a whole warp
  const Workspace workspace(params, plan, blockIdx.y);
  const float total = static_cast<float>(params.pixels * plan.group_channels);
  const GroupNormPartial all = Combine(
      plan.slices, total,
      [&](int64_t slice) -> float {
        return plan.PixelsOf(slice, params.pixels) * plan.group_channels;
      },
      [&](int64_t slice) {
        return workspace.partials[slice * params.groups + group];
      });
  if (threadIdx.x % 32 == 0) {
    workspace.statistics[group] = {all.mean,
                                   1.0f / sqrtf(all.m2 / total + params.eps)};
  }
}

// Grid (slices, chunks, n): normalises the block's part of the picture.
template <typename T, int kWidth, Activation activation>
__global__ void __launch_bounds__(kGroupNormThreads)
    NormaliseKernel(GroupNormParams params, GroupNormPlan plan) {
  const int lane = threadIdx.x / plan.pack_threads;
  if (lane >= plan.lanes) return;
  const int64_t pixels = plan.PixelsOf(blockIdx.x, params.pixels);
  const Workspace workspace(params, plan, blockIdx.z);

  for (int64_t pack = threadIdx.x % plan.pack_threads; pack < plan.chunk_packs;
       pack += plan.pack_threads) {
    const int64_t channel = (blockIdx.y * plan.chunk_packs + pack) * kWidth;
    float mean[kWidth], scale[kWidth], bias[kWidth];
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const GroupNormStatistics statistics =
          workspace.statistics[(channel + i) / plan.group_channels];
      mean[i] = statistics.mean;
      scale[i] = statistics.inverse_deviation * params.weight[channel + i];
      bias[i] = params.bias[channel + i];
    }
    const int64_t first = FirstElement(params, plan, 0, channel);
    const T* const input = static_cast<const T*>(params.input) + first;
    T* const out = static_cast<T*>(params.out) + first;
#pragma unroll 4
    for (int64_t pixel = lane; pixel < pixels; pixel += plan.lanes) {
      auto x = *reinterpret_cast<const Pack<T, kWidth>*>(
          input + pixel * params.channels);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        x.v[i] = FromFloat<T>(Activated<activation>(
            fmaf(ToFloat(x.v[i]) - mean[i], scale[i], bias[i])));
      }
      *reinterpret_cast<Pack<T, kWidth>*>(out + pixel * params.channels) = x;
    }
  }
}

// Launches the three kernels for packs of kWidth channels.
template <typename T, int kWidth>
cudaError_t LaunchPasses(const GroupNormParams& params,
                         const GroupNormPlan& plan, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(plan.slices),
                  static_cast<unsigned>(plan.chunks),
                  static_cast<unsigned>(params.n));
  cudaError_t error =
      LaunchKernel(PartialKernel<T, kWidth>, grid, plan.threads(),
                   plan.shared_bytes, stream, params, plan);
  if (error != cudaSuccess) return error;
  constexpr int kWarps = kGroupNormThreads / 32;
  error = LaunchKernel(
      CombineKernel,
      dim3(static_cast<unsigned>((params.groups + kWarps - 1) / kWarps),
           static_cast<unsigned>(params.n)),
      kGroupNormThreads, 0, stream, params, plan);
  if (error != cudaSuccess) return error;
  return LaunchKernel(params.silu
                          ? NormaliseKernel<T, kWidth, Activation::kSilu>
                          : NormaliseKernel<T, kWidth, Activation::kNone>,
                      grid, plan.threads(), 0, stream, params, plan);
}

}  // namespace

cudaError_t LaunchGroupNorm(const GroupNormParams& params,
                            cudaStream_t stream) {
  if (params.n == 0 || params.pixels == 0 || params.channels == 0) {
    return cudaSuccess;
  }
  if (params.n > 65535 || params.groups < 1 ||
      params.channels % params.groups != 0) {
    return cudaErrorInvalidValue;
  }
  return DispatchElement(params.dtype, [&]<typename T>() {
    if (Addresses(params.input, params.out) % kVectorBytes != 0) {
      return cudaErrorMisalignedAddress;
    }
    const GroupNormPlan plan =
        PlanGroupNorm(params.pixels, params.channels, params.groups, sizeof(T));
    constexpr int kWidth = kVectorBytes / sizeof(T);
    return plan.width == kWidth ? LaunchPasses<T, kWidth>(params, plan, stream)
                                : LaunchPasses<T, 1>(params, plan, stream);
  });
}

}  // namespace tessera::kernels::cuda
