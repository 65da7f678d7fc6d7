#include "kernels/ops/embedding.h"

#include <cmath>

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

namespace tessera::kernels::cpu {

void TokenEmbedding(Stream&, const TokenEmbeddingArgs& args) {
  const int64_t length = args.ids.shape[1];
  const int64_t channels = args.table.shape[1];
  // Runs on the caller's thread: a prompt has 77 tokens, not worth a wake-up.
  for (int64_t i = 0; i < args.ids.shape.elements(); ++i) {
    const float* const token = args.table.f32() + args.ids.i32()[i] * channels;
    // Repeats the positions for every prompt of the batch.
    const float* const position = args.positions.f32() + i % length * channels;
    float* const out = args.out.f32() + i * channels;
    for (int64_t c = 0; c < channels; ++c) out[c] = token[c] + position[c];
  }
}

// Follows diffusers' get_timestep_embedding, with the scale of 1 that Stable
// Diffusion uses.
void TimestepEmbedding(Stream&, const TimestepEmbeddingArgs& args) {
  const int64_t half = args.out.shape[1] / 2;
  float* const first = args.out.f32();
  for (int64_t n = 0; n < args.out.shape[0]; ++n) {
    float* const row = first + n * 2 * half;
    // Fills the two halves of a row; the flip only swaps them.
    float* const cosines = args.flip_sin_to_cos ? row : row + half;
    float* const sines = args.flip_sin_to_cos ? row + half : row;
    for (int64_t i = 0; i < half; ++i) {
      // In the order and precision of the reference, so that the argument of
      // the sinusoid, which may be near 1000, has the same rounding.
      const float exponent =
          -std::log(10000.0f) * static_cast<float>(i) /
          (static_cast<float>(half) - args.downscale_freq_shift);
      const float angle = args.timesteps.f32()[n] * std::exp(exponent);
      cosines[i] = std::cos(angle);
      sines[i] = std::sin(angle);
    }
  }
}

}  // namespace tessera::kernels::cpu
