// The order of a convolution's weights in checkpoints and in packed matrices.
#ifndef TESSERA_KERNELS_WEIGHT_ORDER_H_
#define TESSERA_KERNELS_WEIGHT_ORDER_H_

#include <cstdint>

namespace tessera::kernels {

// Copies the weights of one output from the checkpoint's order, [channels,
// taps], to that of packed matrices, [taps, channels], where a tile walks the
// channels of one input pixel; elements of `packed` are `stride` apart.
inline void ChannelsLast(const float* checkpoint, int64_t channels,
                         int64_t taps, float* packed, int64_t stride) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      packed[(tap * channels + c) * stride] = *checkpoint++;
    }
  }
}

// Undoes it.
inline void ChannelsFirst(const float* packed, int64_t stride, int64_t channels,
                          int64_t taps, float* checkpoint) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      *checkpoint++ = packed[(tap * channels + c) * stride];
    }
  }
}

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_WEIGHT_ORDER_H_
