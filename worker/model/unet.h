// The network that predicts the noise.
#ifndef TESSERA_WORKER_MODEL_UNET_H_
#define TESSERA_WORKER_MODEL_UNET_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/arena.h"
#include "kernels/device.h"
#include "kernels/tensor.h"
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
  kernels::TensorView sample;     // [N, h, w, in_channels]
  kernels::TensorView timesteps;  // [N] f32
  TextKeys keys;
};

// What lives between two pieces. Borrows or owns places in the pass's arena.
struct UNetState {
  // Enough for eight levels of seven layers.
  static constexpr size_t kMaxSkips = 64;

  kernels::TensorView hidden;  // [N, h, w, C]
  // Of `hidden`, unless it is a skip or the input.
  std::optional<kernels::Scratch> owner;
  std::array<std::optional<kernels::Scratch>, kMaxSkips> skips;
};

// The layers of a UNet, in the order in which they run.
struct UNetParts {
  LayerTable table;
  std::vector<UNetPiece> pieces;
  TimeEmbedding time;
  Conv2d conv_in;
  // These four are found by the index of their pieces.
  std::vector<ResnetBlock> resnets;
  std::vector<SpatialTransformer> transformers;
  std::vector<Conv2d> downsamplers;
  std::vector<Conv2d> upsamplers;
  GroupNorm norm_out;
  Conv2d conv_out;
};

// UNet2DConditionModel of the Stable Diffusion 1.x and 2.x kind. Immutable
// once loaded; thread-safe.
class UNet {
 public:
  // Reads every layer. INVALID_ARGUMENT when the config contradicts itself or
  // a tensor differs from it; else errors as of WeightReader.
  static absl::StatusOr<UNet> Load(const WeightReader& reader,
                                   kernels::Device& device,
                                   const UNetConfig& config);

  // Computes the prediction into out [N, h, w, out_channels].
  void Forward(const Pass& pass, const UNetInput& input,
               const kernels::TensorView& out) const;

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
