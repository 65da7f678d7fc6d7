// The network that predicts the noise.
#ifndef TESSERA_WORKER_MODEL_UNET_H_
#define TESSERA_WORKER_MODEL_UNET_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/arena.h"
#include "kernels/device.h"
#include "kernels/tensor.h"
#include "worker/model/added_embedding.h"
#include "worker/model/conv.h"
#include "worker/model/layer_table.h"
#include "worker/model/norm.h"
#include "worker/model/pass.h"
#include "worker/model/resnet_block.h"
#include "worker/model/spatial_transformer.h"
#include "worker/model/time_embedding.h"
#include "worker/model/unet_config.h"
#include "worker/model/unet_piece.h"

namespace tessera::model {

// What one call of the UNet reads. Every row has its own timestep and prompt.
struct UNetInput {
  // [N, h, w, in_channels]; to pieces behind the first one the shape alone.
  kernels::TensorView sample;
  kernels::TensorView timesteps;  // [N] f32
  TextKeys keys;
  // What PromptEncoder makes of pooled texts and sizes, [N, C]; of UNets with
  // an added embedding alone.
  kernels::TensorView added;
};

// What lives between two pieces. Borrows or owns places in the pass's arena.
struct UNetState {
  // Enough for eight levels of seven layers.
  static constexpr size_t kMaxSkips = 64;

  kernels::TensorView hidden;  // [N, h, w, C]
  // Of `hidden`, unless it is a skip or the input.
  std::optional<kernels::Scratch> owner;
  std::array<std::optional<kernels::Scratch>, kMaxSkips> skips;
  // Where skips lie that outlive the pass, by number; none but these may be
  // saved in one pass and taken in another.
  std::span<const std::optional<kernels::TensorView>> parked;
  // Where the next piece writes its output instead of to the arena.
  std::optional<kernels::TensorView> target;
};

// A part of a UNet call, and what crosses its borders.
struct UNetSegment {
  PieceRange pieces;           // not empty
  kernels::TensorView hidden;  // what the first piece reads
  // By number; the skips that are saved or taken outside of the segment must
  // be there. May be shorter than the number of skips.
  std::span<const std::optional<kernels::TensorView>> parked;
  // What the last piece writes; where its skip is parked if it saves one.
  kernels::TensorView out;
};

// The layers of a UNet, in the order in which they run.
struct UNetParts {
  LayerTable table;
  std::vector<UNetPiece> pieces;
  TimeEmbedding time;
  std::optional<AddedEmbedding> added;
  Conv2d conv_in;
  // These four are found by the index of their pieces.
  std::vector<ResnetBlock> resnets;
  std::vector<SpatialTransformer> transformers;
  std::vector<Conv2d> downsamplers;
  std::vector<Conv2d> upsamplers;
  GroupNorm norm_out;
  Conv2d conv_out;
};

// UNet2DConditionModel of the Stable Diffusion 1.x, 2.x and XL kinds. Immutable
// once loaded; thread-safe.
class UNet {
 public:
  // Reads every layer. INVALID_ARGUMENT when the config contradicts itself or
  // a tensor differs from it; else errors as of WeightReader.
  static absl::StatusOr<UNet> Load(const WeightReader& reader,
                                   kernels::Device& device,
                                   const UNetConfig& config);

  // Reads the layers of the pieces in `owned` and what every piece needs. The
  // others are listed in pieces() with an index of -1 and cannot run. Errors:
  // as of Load.
  static absl::StatusOr<UNet> LoadPieces(const WeightReader& reader,
                                         kernels::Device& device,
                                         const UNetConfig& config,
                                         std::span<const PieceRange> owned);

  // Lists the pieces that a config implies, all with an index of -1. Errors:
  // INVALID_ARGUMENT when the config contradicts itself.
  static absl::StatusOr<std::vector<UNetPiece>> ListPieces(
      const UNetConfig& config);

  // Computes the prediction into out [N, h, w, out_channels].
  void Forward(const Pass& pass, const UNetInput& input,
               const kernels::TensorView& out) const;

  // Runs the pieces of a segment, which must be loaded.
  void RunSegment(const Pass& pass, const UNetSegment& segment,
                  const UNetInput& input) const;

  // Runs one piece on `state`. `time` [N, C] is what time_embedding() makes of
  // the input's timesteps; the last piece writes to `out`.
  void RunPiece(const Pass& pass, const UNetPiece& piece,
                const UNetInput& input, const kernels::TensorView& time,
                const kernels::TensorView& out, UNetState& state) const;

  // Returns the shape of a piece's output for a sample of shape [N, h, w, C].
  kernels::Shape OutputShape(const UNetPiece& piece,
                             const kernels::Shape& sample) const;

  // The cross-attentions in order, each by the projection that makes its keys
  // and values [T, 2 C] of text embeddings [T, context].
  const std::vector<const Linear*>& text_keys() const { return text_keys_; }
  // The steps of Forward, for those who run them one by one.
  const std::vector<UNetPiece>& pieces() const { return parts_.pieces; }
  // The layers that adapters may name.
  const LayerTable& table() const { return parts_.table; }
  const TimeEmbedding& time_embedding() const { return parts_.time; }
  // Null where nothing is added to the time embedding.
  const AddedEmbedding* added_embedding() const {
    return parts_.added.has_value() ? &*parts_.added : nullptr;
  }

 private:
  explicit UNet(UNetParts parts);

  static kernels::Scratch TakeSkip(const Pass& pass, int index,
                                   UNetState& state);
  void RunLayer(const Pass& pass, const UNetPiece& piece,
                const UNetInput& input, const kernels::TensorView& time,
                const kernels::TensorView& x,
                const kernels::TensorView& out) const;

  // Never changes, so that `text_keys_` may point into it.
  UNetParts parts_;
  // Point into `parts_`.
  std::vector<const Linear*> text_keys_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_UNET_H_
