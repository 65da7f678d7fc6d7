#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/tiles/index_divisor.h"
#include "kernels/cuda/token_embedding.h"

namespace tessera::kernels::cuda {
namespace {

// Embeds packs of N channels of one token.
template <typename T>
struct TokenEmbeddingOp {
  TokenEmbeddingParams params;
  IndexDivisor channels;
  IndexDivisor tokens;

  template <int N>
  __device__ void Run(int64_t first) const {
    const int64_t token = channels.Quotient(first);
    const int64_t channel = first - token * params.channels;
    const int64_t position = token - tokens.Quotient(token) * params.tokens;
    const int64_t id = params.ids[token];
    Pack<T, N> sum;
    if (id < 0 || id >= params.vocabulary) {
#pragma unroll
      for (int i = 0; i < N; ++i) sum.v[i] = FromFloat<T>(nanf(""));
    } else {
      const auto x = *reinterpret_cast<const Pack<T, N>*>(
          static_cast<const T*>(params.table) + id * params.channels + channel);
      const auto y = *reinterpret_cast<const Pack<T, N>*>(
          static_cast<const T*>(params.positions) + position * params.channels +
          channel);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        sum.v[i] = FromFloat<T>(ToFloat(x.v[i]) + ToFloat(y.v[i]));
      }
    }
    *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(params.out) + first) = sum;
  }
};

}  // namespace

cudaError_t LaunchTokenEmbedding(const TokenEmbeddingParams& params,
                                 cudaStream_t stream) {
  const int64_t elements = params.n * params.tokens * params.channels;
  if (elements == 0) return cudaSuccess;
  return DispatchElement(params.dtype, [&]<typename T>() {
    const TokenEmbeddingOp<T> op = {params, IndexDivisor(params.channels),
                                    IndexDivisor(params.tokens)};
    const uintptr_t pitch = params.channels * sizeof(T);
    return LaunchElementwise<kVectorBytes / sizeof(T)>(
        op,
        PlanElementwise(
            elements, sizeof(T),
            pitch | Addresses(params.table, params.positions, params.out)),
        stream);
  });
}

}  // namespace tessera::kernels::cuda
