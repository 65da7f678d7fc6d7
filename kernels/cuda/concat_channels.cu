#include "kernels/cuda/concat_channels.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/tiles/index_divisor.h"

namespace tessera::kernels::cuda {
namespace {

// Copies packs of N channels from whichever operand they lie in.
template <typename T>
struct ConcatOp {
  ConcatChannelsParams params;
  IndexDivisor channels;

  template <int N>
  __device__ void Run(int64_t first) const {
    const int64_t row = channels.Quotient(first);
    const int64_t channel = first - row * channels.divisor();
    const T* const source = channel < params.a_channels
                                ? static_cast<const T*>(params.a) +
                                      row * params.a_channels + channel
                                : static_cast<const T*>(params.b) +
                                      row * params.b_channels +
                                      (channel - params.a_channels);
    *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(params.out) + first) =
        *reinterpret_cast<const Pack<T, N>*>(source);
  }
};

}  // namespace

cudaError_t LaunchConcatChannels(const ConcatChannelsParams& params,
                                 cudaStream_t stream) {
  const int64_t channels = params.a_channels + params.b_channels;
  if (params.rows == 0 || channels == 0) return cudaSuccess;
  return DispatchElement(params.dtype, [&]<typename T>() {
    const ConcatOp<T> op = {params, IndexDivisor(channels)};
    // A pack may not straddle the seam nor two rows.
    const uintptr_t pitches =
        (params.a_channels | params.b_channels) * sizeof(T);
    return LaunchElementwise<kVectorBytes / sizeof(T)>(
        op,
        PlanElementwise(params.rows * channels, sizeof(T),
                        pitches | Addresses(params.a, params.b, params.out)),
        stream);
  });
}

}  // namespace tessera::kernels::cuda
