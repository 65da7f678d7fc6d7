#include "worker/model/unet.h"

#include <utility>

#include "common/check.h"
#include "kernels/ops/concat.h"
#include "kernels/ops/resample.h"

namespace tessera::model {

using kernels::Scratch;
using kernels::Shape;
using kernels::TensorView;
using Kind = UNetPiece::Kind;

namespace {

// Returns where a skip lies outside of the arena; nothing if it does not.
std::optional<TensorView> FindParked(const UNetState& state, int skip) {
  const auto index = static_cast<size_t>(skip);
  if (skip < 0 || index >= state.parked.size()) return std::nullopt;
  return state.parked[index];
}

}  // namespace

// Numbers the cross-attentions in the order of loading, which is that of the
// keys. The pointers are into vectors' memory, which stays where it is when the
// UNet moves.
UNet::UNet(UNetParts parts) : parts_(std::move(parts)) {
  for (SpatialTransformer& transformer : parts_.transformers) {
    for (TransformerLayer& layer : transformer.mutable_layers()) {
      layer.cross_index = static_cast<int>(text_keys_.size());
      text_keys_.push_back(&layer.cross_kv);
    }
  }
}

Shape UNet::OutputShape(const UNetPiece& piece, const Shape& sample) const {
  int64_t h = sample[1];
  int64_t w = sample[2];
  // A stride of two with a pad of one rounds up.
  for (int level = 0; level < piece.level; ++level) {
    h = (h + 1) / 2;
    w = (w + 1) / 2;
  }
  return Shape{sample[0], h, w, piece.outputs};
}

void UNet::Forward(const Pass& pass, const UNetInput& input,
                   const TensorView& out) const {
  RunSegment(pass,
             {.pieces = {0, parts_.pieces.size()},
              .hidden = input.sample,
              .parked = {},
              .out = out},
             input);
}

// Runs the pieces in order; the rows of the batch share every op.
void UNet::RunSegment(const Pass& pass, const UNetSegment& segment,
                      const UNetInput& input) const {
  CHECK(!segment.pieces.empty());
  // Computes silu(embedding) once; every resnet block projects it anew.
  const Scratch time =
      pass.Allocate(Shape{input.timesteps.shape[0], parts_.time.outputs()});
  if (parts_.added.has_value()) {
    parts_.time.ForwardAdding(pass, input.timesteps, input.added, time.view());
  } else {
    parts_.time.Forward(pass, input.timesteps, time.view());
  }
  UNetState state;
  state.hidden = segment.hidden;
  state.parked = segment.parked;
  for (size_t i = segment.pieces.begin; i < segment.pieces.end; ++i) {
    if (i + 1 == segment.pieces.end) state.target = segment.out;
    RunPiece(pass, parts_.pieces[i], input, time.view(), segment.out, state);
  }
}

void UNet::RunPiece(const Pass& pass, const UNetPiece& piece,
                    const UNetInput& input, const TensorView& time,
                    const TensorView& out, UNetState& state) const {
  std::optional<Scratch> joined;
  TensorView x = state.hidden;
  // Takes the skip before it asks for the result, so that both parts of the
  // join are free by then.
  if (piece.takes_skip >= 0) {
    joined = TakeSkip(pass, piece.takes_skip, state);
    x = joined->view();
  }
  std::optional<TensorView> target = std::exchange(state.target, std::nullopt);
  if (piece.kind == Kind::kConvOut) target = out;
  if (!target.has_value()) target = FindParked(state, piece.saves_skip);
  // Writes to the caller's tensor, which the arena does not own.
  if (target.has_value()) {
    RunLayer(pass, piece, input, time, x, *target);
    state.hidden = *target;
    state.owner.reset();
    return;
  }
  Scratch result = pass.Allocate(OutputShape(piece, input.sample.shape));
  RunLayer(pass, piece, input, time, x, result.view());
  // Lets go of the input only after the layer has read it.
  state.hidden = result.view();
  state.owner.reset();
  // Keeps a saved output in `skips` alone: `hidden` borrows it.
  if (piece.saves_skip >= 0) {
    state.skips[static_cast<size_t>(piece.saves_skip)] = std::move(result);
  } else {
    state.owner = std::move(result);
  }
}

// Joins a skip behind the hidden channels and lets go of both.
// An earlier piece must have saved the skip under `index`, or parked it.
Scratch UNet::TakeSkip(const Pass& pass, int index, UNetState& state) {
  std::optional<Scratch>& skip = state.skips[static_cast<size_t>(index)];
  const std::optional<TensorView> parked = FindParked(state, index);
  CHECK(skip.has_value() || parked.has_value());
  const TensorView taken = parked.has_value() ? *parked : skip->view();
  const Shape& shape = state.hidden.shape;
  Scratch joined = pass.Allocate(
      Shape{shape[0], shape[1], shape[2], shape[3] + taken.shape[3]});
  kernels::ConcatChannels(
      pass.stream, {.a = state.hidden, .b = taken, .out = joined.view()});
  state.owner.reset();
  skip.reset();
  return joined;
}

// Runs the layer that a piece names; x and out have the piece's shapes.
void UNet::RunLayer(const Pass& pass, const UNetPiece& piece,
                    const UNetInput& input, const TensorView& time,
                    const TensorView& x, const TensorView& out) const {
  const auto index = static_cast<size_t>(piece.index);
  switch (piece.kind) {
    case Kind::kConvIn:
      return parts_.conv_in.Forward(pass, x, out, {});
    case Kind::kResnet:
      return parts_.resnets[index].Forward(pass, x, time, out);
    case Kind::kTransformer:
      return parts_.transformers[index].Forward(pass, x, input.keys, out);
    case Kind::kDownsample:
      return parts_.downsamplers[index].Forward(pass, x, out, {});
    // Enlarges to the size of `out`, which at odd sizes is less than double, so
    // that the skip at this level fits (diffusers' upsample_size).
    case Kind::kUpsample: {
      const Shape& shape = out.shape;
      const Scratch enlarged =
          pass.Allocate(Shape{shape[0], shape[1], shape[2], x.shape[3]});
      kernels::ResizeNearest(pass.stream, {.input = x, .out = enlarged.view()});
      return parts_.upsamplers[index].Forward(pass, enlarged.view(), out, {});
    }
    // Ends as diffusers' conv_norm_out, conv_act and conv_out.
    case Kind::kConvOut: {
      const Scratch normed = pass.Allocate(x.shape);
      parts_.norm_out.Forward(pass, x, normed.view(), /*silu=*/true);
      return parts_.conv_out.Forward(pass, normed.view(), out, {});
    }
  }
}

}  // namespace tessera::model
