#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/resize_nearest.h"
#include "kernels/cuda/tiles/index_divisor.h"

namespace tessera::kernels::cuda {
namespace {

// Copies packs of N channels from the pixel they repeat.
template <typename T>
struct ResizeOp {
  ResizeNearestParams params;
  IndexDivisor channels;
  IndexDivisor out_width;
  IndexDivisor out_height;

  template <int N>
  __device__ void Run(int64_t first) const {
    const int64_t pixel = channels.Quotient(first);
    const int64_t line = out_width.Quotient(pixel);
    const int64_t picture = out_height.Quotient(line);
    const int64_t x = pixel - line * params.out_width;
    const int64_t y = line - picture * params.out_height;
    const int64_t source =
        (picture * params.height + out_height.Quotient(y * params.height)) *
            params.width +
        out_width.Quotient(x * params.width);
    const int64_t channel = first - pixel * params.channels;
    *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(params.out) + first) =
        *reinterpret_cast<const Pack<T, N>*>(
            static_cast<const T*>(params.input) + source * params.channels +
            channel);
  }
};

}  // namespace

cudaError_t LaunchResizeNearest(const ResizeNearestParams& params,
                                cudaStream_t stream) {
  const int64_t elements =
      params.n * params.out_height * params.out_width * params.channels;
  if (elements == 0) return cudaSuccess;
  return DispatchElement(params.dtype, [&]<typename T>() {
    const ResizeOp<T> op = {params, IndexDivisor(params.channels),
                            IndexDivisor(params.out_width),
                            IndexDivisor(params.out_height)};
    const uintptr_t pitch = params.channels * sizeof(T);
    return LaunchElementwise<kVectorBytes / sizeof(T)>(
        op,
        PlanElementwise(elements, sizeof(T),
                        pitch | Addresses(params.input, params.out)),
        stream);
  });
}

}  // namespace tessera::kernels::cuda
