// Embeddings of tokens and of timesteps.
#ifndef TESSERA_KERNELS_OPS_EMBEDDING_H_
#define TESSERA_KERNELS_OPS_EMBEDDING_H_

#include <cstdint>

#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// The tables that turn token ids into rows.
struct TokenEmbeddingArgs {
  TensorView ids;        // i32 [n, tokens] on the host, each in [0, vocabulary)
  TensorView table;      // [vocabulary, c]
  TensorView positions;  // [at least tokens, c]
  TensorView out;        // [n, tokens, c]
};

// out[i, t] = table[ids[i, t]] + positions[t]. Errors: INVALID_ARGUMENT for
// shapes that do not fit or an id outside the vocabulary.
void TokenEmbedding(Stream& stream, const TokenEmbeddingArgs& args);

// The settings of a sinusoidal embedding.
struct TimestepEmbeddingArgs {
  TensorView timesteps;            // f32 [n]
  bool flip_sin_to_cos = false;    // cosines first
  float downscale_freq_shift = 0;  // 0 for SD 1.5, 1 for the original DDPM
  TensorView out;                  // [n, dim], dim even
};

// Sinusoids of t * 10000^(-i / (dim/2 - shift)), i in [0, dim/2): sines then
// cosines unless flipped. Errors: INVALID_ARGUMENT for shapes that do not fit.
void TimestepEmbedding(Stream& stream, const TimestepEmbeddingArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_EMBEDDING_H_
