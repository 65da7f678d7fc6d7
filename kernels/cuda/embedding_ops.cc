// Embeddings of tokens and of timesteps.
#include "kernels/cuda/backend.h"
#include "kernels/cuda/op_table.h"
#include "kernels/cuda/timestep_embedding.h"
#include "kernels/cuda/token_embedding.h"

namespace tessera::kernels::cuda {

// Uploads the ids, which lie on the host.
void TokenEmbedding(Stream& stream, const TokenEmbeddingArgs& args) {
  Backend& backend = Backend::Of(stream);
  const absl::StatusOr<const void*> ids =
      backend.Upload(args.ids.data, args.ids.bytes());
  if (!ids.ok()) return stream.Fail(ids.status());
  const TokenEmbeddingParams params{.ids = static_cast<const int32_t*>(*ids),
                                    .table = args.table.data,
                                    .positions = args.positions.data,
                                    .out = args.out.data,
                                    .n = args.ids.shape[0],
                                    .tokens = args.ids.shape[1],
                                    .channels = args.table.shape[1],
                                    .vocabulary = args.table.shape[0],
                                    .dtype = args.out.dtype};
  backend.Report(stream, LaunchTokenEmbedding(params, backend.queue()),
                 "token_embedding", args.out.shape);
}

void TimestepEmbedding(Stream& stream, const TimestepEmbeddingArgs& args) {
  Backend& backend = Backend::Of(stream);
  const TimestepEmbeddingParams params{
      .timesteps = args.timesteps.f32(),
      .flip_sin_to_cos = args.flip_sin_to_cos,
      .downscale_freq_shift = args.downscale_freq_shift,
      .out = args.out.data,
      .n = args.out.shape[0],
      .dim = args.out.shape[1],
      .out_dtype = args.out.dtype};
  backend.Report(stream, LaunchTimestepEmbedding(params, backend.queue()),
                 "timestep_embedding", args.out.shape);
}

}  // namespace tessera::kernels::cuda
