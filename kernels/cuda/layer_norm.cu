// Layer norm, a warp a row: lane l owns packs l, l + 32, ... of the row and
// keeps them in registers, so that a row is read once and written once; bound
// by memory. Rows too long for that are read again (from the cache) for each
// of the three steps; the sums have the same order either way.

#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/layer_norm.h"
#include "kernels/cuda/warp.cuh"

namespace tessera::kernels::cuda {
namespace {

// One lane's part of a row, held in kHeld registers' packs, or read again from
// memory whenever asked for if kHeld is 0.
template <typename T, int kWidth, int kHeld>
struct LanePacks {
  using Elements = Pack<T, kWidth>;

  const Elements* row;
  int64_t count;  // of packs in the row
  Elements held[kHeld > 0 ? kHeld : 1];

  __device__ LanePacks(const T* values, int64_t packs)
      : row(reinterpret_cast<const Elements*>(values)), count(packs) {
#pragma unroll
    for (int i = 0; i < kHeld; ++i) {
      const int64_t pack = threadIdx.x % 32 + 32 * i;
      if (pack < count) held[i] = row[pack];
    }
  }

  // Calls body(pack, elements) for each pack of the lane in order.
  template <typename Body>
  __device__ void ForEach(const Body& body) const {
    if constexpr (kHeld > 0) {
#pragma unroll
      for (int i = 0; i < kHeld; ++i) {
        const int64_t pack = threadIdx.x % 32 + 32 * i;
        if (pack < count) body(pack, held[i]);
      }
    } else {
      for (int64_t pack = threadIdx.x % 32; pack < count; pack += 32) {
        body(pack, row[pack]);
      }
    }
  }
};

template <typename T, int kWidth, int kHeld>
__global__ void __launch_bounds__(32 * kLayerNormRows)
    LayerNormKernel(LayerNormParams params, LayerNormPlan plan) {
  const int64_t row =
      static_cast<int64_t>(blockIdx.x) * kLayerNormRows + threadIdx.x / 32;
  if (row >= params.rows) return;  // a whole warp
  const LanePacks<T, kWidth, kHeld> packs(
      static_cast<const T*>(params.input) + row * params.channels, plan.packs);

  float sum = 0;
  packs.ForEach([&](int64_t, const Pack<T, kWidth>& x) {
#pragma unroll
    for (int i = 0; i < kWidth; ++i) sum += ToFloat(x.v[i]);
  });
  const float mean = WarpSum(sum) / params.channels;

  float square = 0;
  packs.ForEach([&](int64_t, const Pack<T, kWidth>& x) {
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float difference = ToFloat(x.v[i]) - mean;
      square = fmaf(difference, difference, square);
    }
  });
  const float inverse_deviation =
      1.0f / sqrtf(WarpSum(square) / params.channels + params.eps);

  T* const out = static_cast<T*>(params.out) + row * params.channels;
  packs.ForEach([&](int64_t pack, const Pack<T, kWidth>& x) {
    Pack<T, kWidth> y;
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const int64_t channel = pack * kWidth + i;
      y.v[i] = FromFloat<T>(fmaf((ToFloat(x.v[i]) - mean) * inverse_deviation,
                                 __ldg(params.weight + channel),
                                 __ldg(params.bias + channel)));
    }
    *reinterpret_cast<Pack<T, kWidth>*>(out + pack * kWidth) = y;
  });
}

// Launches the variant that holds enough packs.
template <typename T, int kWidth>
cudaError_t LaunchRows(const LayerNormParams& params, const LayerNormPlan& plan,
                       cudaStream_t stream) {
  const auto kernel = !plan.held            ? LayerNormKernel<T, kWidth, 0>
                      : plan.lane_packs > 4 ? LayerNormKernel<T, kWidth, 8>
                      : plan.lane_packs > 2 ? LayerNormKernel<T, kWidth, 4>
                                            : LayerNormKernel<T, kWidth, 2>;
  const int64_t blocks = (params.rows + kLayerNormRows - 1) / kLayerNormRows;
  return LaunchKernel(kernel, dim3(static_cast<unsigned>(blocks)),
                      32 * kLayerNormRows, 0, stream, params, plan);
}

}  // namespace

cudaError_t LaunchLayerNorm(const LayerNormParams& params,
                            cudaStream_t stream) {
  if (params.rows == 0 || params.channels == 0) return cudaSuccess;
  return DispatchElement(params.dtype, [&]<typename T>() {
    if (Addresses(params.input, params.out) % kVectorBytes != 0) {
      return cudaErrorMisalignedAddress;
    }
    const LayerNormPlan plan = PlanLayerNorm(params.channels, sizeof(T));
    constexpr int kWidth = kVectorBytes / sizeof(T);
    return plan.width == kWidth ? LaunchRows<T, kWidth>(params, plan, stream)
                                : LaunchRows<T, 1>(params, plan, stream);
  });
}

}  // namespace tessera::kernels::cuda
