#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/image_bytes.h"

namespace tessera::kernels::cuda {
namespace {

// Rounds as the CPU does.
template <typename T>
struct ToByte {
  __device__ uint8_t operator()(T x) const {
    // Halving is exact, so fusing it changes nothing; fmaxf drops a NaN.
    const float unit =
        fminf(fmaxf(__fmaf_rn(ToFloat(x), 0.5f, 0.5f), 0.0f), 1.0f);
    return static_cast<uint8_t>(rintf(__fmul_rn(unit, 255.0f)));
  }
};

}  // namespace

cudaError_t LaunchImageBytes(const ImageBytesParams& params,
                             cudaStream_t stream) {
  return DispatchElement(params.input_dtype, [&]<typename T>() {
    return LaunchMap<T, uint8_t, ToByte<T>>(params.input, params.out,
                                            params.elements, stream);
  });
}

}  // namespace tessera::kernels::cuda
