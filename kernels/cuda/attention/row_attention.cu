// A warp computes a row: lanes share the head's columns, keys come one after
// the other. It serves shapes that no model of ours has (a head that is no
// multiple of 8, columns that are not aligned, a negative scale) and is meant
// to be right, not fast.
#include "kernels/cuda/attention/row_attention.h"
#include "kernels/cuda/attention/task.h"
#include "kernels/cuda/element.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles/online_softmax.h"
#include "kernels/cuda/warp.cuh"

namespace tessera::kernels::cuda {
namespace {

// Rows, one a warp, of a block.
constexpr int kRows = 4;

// The device's functions under the online softmax.
struct RowMaths {
  static __device__ float Max(float x, float y) { return fmaxf(x, y); }
  static __device__ float Fma(float x, float y, float z) {
    return fmaf(x, y, z);
  }
  static __device__ float Exp2(float x) { return exp2f(x); }
};

// Loads this lane's columns lane, lane + 32, ... of a row as f32.
template <typename T, int kColumns>
__device__ void LoadRow(const HeadRows& from, int64_t row, int lane,
                        float (&to)[kColumns]) {
  const T* data = reinterpret_cast<const T*>(from.data) + row * from.pitch;
#pragma unroll
  for (int i = 0; i < kColumns; ++i) {
    const int column = lane + 32 * i;
    to[i] = column < from.columns ? ToFloat(data[column]) : 0.0f;
  }
}

// Computes row kRows * blockIdx.x + warp of a head; kColumns columns a lane.
template <typename T, int kColumns>
__global__ void __launch_bounds__(32 * kRows)
    RowAttentionKernel(AttentionParams params) {
  const int64_t query = int64_t{kRows} * blockIdx.x + threadIdx.x / 32;
  if (query >= params.queries) return;
  const AttentionTask task = TaskOf(params, blockIdx.z, blockIdx.y, query);
  const int lane = threadIdx.x % 32;
  float q[kColumns], row[kColumns], out[kColumns] = {};
  LoadRow<T>(task.q, query, lane, q);
  RowMaximum maximum;
  float sum = 0;
  const int64_t keys = task.causal ? query + 1 : task.k.rows;
  for (int64_t key = 0; key < keys; ++key) {
    LoadRow<T>(task.k, key, lane, row);
    float score = 0;
#pragma unroll
    for (int i = 0; i < kColumns; ++i) score = fmaf(q[i], row[i], score);
    score = WarpSum(score);
    const float factor =
        maximum.template Raise<RowMaths>(score * task.scale_log2);
    const float p =
        Probability<RowMaths>(score, task.scale_log2, maximum.Reference());
    sum = fmaf(sum, factor, p);
    LoadRow<T>(task.v, key, lane, row);
#pragma unroll
    for (int i = 0; i < kColumns; ++i) {
      out[i] = fmaf(out[i], factor, p * row[i]);
    }
  }
  const float inverse = InverseSum(sum);
  T* to = reinterpret_cast<T*>(task.out) + query * task.out_pitch;
#pragma unroll
  for (int i = 0; i < kColumns; ++i) {
    const int column = lane + 32 * i;
    if (column < task.q.columns) to[column] = FromFloat<T>(out[i] * inverse);
  }
}

// Launches for one element type.
template <typename T>
cudaError_t Launch(const AttentionParams& params, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((params.queries + kRows - 1) / kRows),
                  static_cast<unsigned>(params.heads),
                  static_cast<unsigned>(params.n));
  const auto kernel = params.head_dim <= 128 ? RowAttentionKernel<T, 4>
                                             : RowAttentionKernel<T, 32>;
  return LaunchKernel(kernel, grid, 32 * kRows, 0, stream, params);
}

}  // namespace

cudaError_t LaunchRowAttention(const AttentionParams& params,
                               cudaStream_t stream) {
  return DispatchHalf(params.dtype,
                      [&]<typename T>() { return Launch<T>(params, stream); });
}

}  // namespace tessera::kernels::cuda
