// Embeddings of tokens and of timesteps.
#ifndef TESSERA_KERNELS_OPS_EMBEDDING_H_
#define TESSERA_KERNELS_OPS_EMBEDDING_H_

#include "kernels/tensor.h"

namespace tessera::kernels {

class Stream;

// Arguments of TokenEmbedding.
struct TokenEmbeddingArgs {
  TensorView ids;        // [M, L] i32, each below the vocabulary's size
  TensorView tokens;     // [V, C] f32
  TensorView positions;  // [P, C] f32, P >= L
  TensorView out;        // [M, L, C] f32
};

// Computes out[m, l] = tokens[ids[m, l]] + positions[l]. Latches
// INVALID_ARGUMENT if shapes disagree or an id is out of range.
void TokenEmbedding(Stream& stream, const TokenEmbeddingArgs& args);

// Arguments of TimestepEmbedding.
struct TimestepEmbeddingArgs {
  TensorView timesteps;         // [N] f32, may be fractional
  bool flip_sin_to_cos = true;  // cosines first
  float freq_shift = 0;
  TensorView out;  // [N, C] f32, C even
};

// Computes the sinusoids of Vaswani et al. 2017, section 3.5, with half = C/2
// frequencies exp(-ln(10000) i / (half - freq_shift)), as diffusers'
// models/embeddings.py get_timestep_embedding.
void TimestepEmbedding(Stream& stream, const TimestepEmbeddingArgs& args);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_OPS_EMBEDDING_H_
