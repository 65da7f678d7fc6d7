#include "kernels/ops/embedding.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/op_table.h"
#include "kernels/ops/operands.h"

namespace tessera::kernels {

// Checks the ids too, for the kernel reads the table at them unchecked.
void TokenEmbedding(Stream& stream, const TokenEmbeddingArgs& args) {
  const Operands is(stream);
  const Shape &ids = args.ids.shape, &table = args.table.shape;
  bool valid = args.ids.dtype == DType::kI32 &&
               args.ids.place == Place::kHost && ids.rank() == 2 &&
               is.Compute(args.table) && table.rank() == 2 &&
               is.Compute(args.positions) && args.positions.shape.rank() == 2 &&
               args.positions.shape[0] >= ids[1] &&
               args.positions.shape[1] == table[1] &&
               is.Compute(args.out, Shape{ids[0], ids[1], table[1]});
  absl::Status status = Check(valid, "token_embedding", args.ids.shape);
  // Skips the ids while planning: views point nowhere then.
  for (int64_t i = 0; status.ok() && !stream.planning() && i < ids.elements();
       ++i) {
    const int32_t id = args.ids.i32()[i];
    if (id < 0 || id >= table[0]) {
      status = absl::InvalidArgumentError(
          absl::StrCat("token_embedding: id outside the vocabulary: ", id));
    }
  }
  if (stream.Admit(std::move(status))) {
    stream.ops().token_embedding(stream, args);
  }
}

// Asks for an even width: sines and cosines fill a half each.
void TimestepEmbedding(Stream& stream, const TimestepEmbeddingArgs& args) {
  const Operands is(stream);
  const Shape& out = args.out.shape;
  const bool valid = is.Compute(args.out) && out.rank() == 2 &&
                     out[1] % 2 == 0 && is.F32(args.timesteps, Shape{out[0]});
  if (stream.Admit(Check(valid, "timestep_embedding", args.out.shape))) {
    stream.ops().timestep_embedding(stream, args);
  }
}

}  // namespace tessera::kernels
