// How a config becomes the UNet's pieces.
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/unet.h"

namespace tessera::model {
namespace {

using Kind = UNetPiece::Kind;

// The width of the time embedding in channels of the first block (diffusers'
// unet_2d_condition.py, time_embed_dim).
constexpr int64_t kTimeMultiple = 4;

// Reads layer after layer and notes the pieces, as diffusers' constructor does.
class Loader {
 public:
  // Reads nothing, and only lists, without a reader and a device.
  Loader(const WeightReader* reader, kernels::Device* device,
         const UNetConfig& config, std::span<const PieceRange> owned)
      : config_(config), owned_(owned) {
    if (reader != nullptr) {
      source_.emplace(LayerSource{*reader, *device, parts_.table});
    }
  }

  absl::StatusOr<UNetParts> Load();

 private:
  absl::Status LoadDown(size_t block);
  absl::Status LoadMid();
  absl::Status LoadUp(size_t step);
  absl::Status AddResnet(const std::string& name, int64_t outputs,
                         int takes_skip);
  absl::Status AddTransformer(const std::string& name, size_t block);
  absl::Status AddDownsampler(const std::string& name);
  absl::Status AddUpsampler(const std::string& name);
  void AddPiece(Kind kind, const std::string& name, size_t index);
  // Makes the last piece save its output.
  void SaveSkip();
  bool OwnsNext() const;

  UNetParts parts_;
  std::optional<LayerSource> source_;  // absent: only lists
  const UNetConfig& config_;
  const std::span<const PieceRange> owned_;
  int64_t channels_ = 0;  // of the hidden picture so far
  int level_ = 0;
  int num_skips_ = 0;
  std::vector<int> open_skips_;         // saved and not yet taken
  std::vector<int64_t> skip_channels_;  // by skip
};

// Says whether the layer of the piece that is noted next is to be loaded.
bool Loader::OwnsNext() const {
  const size_t next = parts_.pieces.size();
  return source_.has_value() && std::any_of(owned_.begin(), owned_.end(),
                                            [&](const PieceRange& range) {
                                              return range.Contains(next);
                                            });
}

// Notes a piece that runs layer `index` of its kind, if it is loaded, at the
// level and with the channels reached so far.
void Loader::AddPiece(Kind kind, const std::string& name, size_t index) {
  parts_.pieces.push_back(
      {.kind = kind,
       .name = name,
       .index = OwnsNext() ? static_cast<int64_t>(index) : -1,
       .level = level_,
       .outputs = channels_});
}

// Saves channels too: the resnet that takes the skip reads both.
void Loader::SaveSkip() {
  parts_.pieces.back().saves_skip = num_skips_;
  open_skips_.push_back(num_skips_++);
  skip_channels_.push_back(channels_);
}

// Adds a resnet from the channels so far, with those of skip `takes_skip`
// behind them unless it is -1.
absl::Status Loader::AddResnet(const std::string& name, int64_t outputs,
                               int takes_skip) {
  // Counts the skip's channels behind the hidden ones, as TakeSkip joins them.
  int64_t inputs = channels_;
  if (takes_skip >= 0)
    inputs += skip_channels_[static_cast<size_t>(takes_skip)];
  const size_t index = parts_.resnets.size();
  if (OwnsNext()) {
    ASSIGN_OR_RETURN(
        ResnetBlock resnet,
        ResnetBlock::Load(*source_, {.name = name,
                                     .inputs = inputs,
                                     .outputs = outputs,
                                     .time_channels = parts_.time.outputs(),
                                     .groups = config_.norm_num_groups,
                                     .epsilon = config_.norm_eps}));
    parts_.resnets.push_back(std::move(resnet));
  }
  // Comes before AddPiece, which records the output's channels.
  channels_ = outputs;
  AddPiece(Kind::kResnet, name, index);
  parts_.pieces.back().takes_skip = takes_skip;
  return absl::OkStatus();
}

// Adds a transformer with the heads and depth of down block `block`.
absl::Status Loader::AddTransformer(const std::string& name, size_t block) {
  const size_t index = parts_.transformers.size();
  if (OwnsNext()) {
    ASSIGN_OR_RETURN(
        SpatialTransformer transformer,
        SpatialTransformer::Load(
            *source_, {.name = name,
                       .channels = channels_,
                       .heads = config_.attention_heads[block],
                       .context = config_.cross_attention_dim,
                       .depth = config_.transformer_layers[block],
                       .groups = config_.norm_num_groups,
                       .linear_projection = config_.use_linear_projection}));
    parts_.transformers.push_back(std::move(transformer));
  }
  AddPiece(Kind::kTransformer, name, index);
  return absl::OkStatus();
}

// Adds a convolution of stride two; its output is a level deeper.
absl::Status Loader::AddDownsampler(const std::string& name) {
  const size_t index = parts_.downsamplers.size();
  if (OwnsNext()) {
    ASSIGN_OR_RETURN(Conv2d conv, Conv2d::Load(*source_, {.name = name,
                                                          .inputs = channels_,
                                                          .outputs = channels_,
                                                          .stride = 2}));
    parts_.downsamplers.push_back(std::move(conv));
  }
  // Changes the level first: a piece is noted with the level of its output.
  ++level_;
  AddPiece(Kind::kDownsample, name, index);
  return absl::OkStatus();
}

// Adds a convolution behind an enlargement to the level above.
absl::Status Loader::AddUpsampler(const std::string& name) {
  const size_t index = parts_.upsamplers.size();
  if (OwnsNext()) {
    ASSIGN_OR_RETURN(Conv2d conv,
                     Conv2d::Load(*source_, {.name = name,
                                             .inputs = channels_,
                                             .outputs = channels_}));
    parts_.upsamplers.push_back(std::move(conv));
  }
  // Comes first for the same reason.
  --level_;
  AddPiece(Kind::kUpsample, name, index);
  return absl::OkStatus();
}

// Adds a down block: after every layer, and after the downsampler, a skip.
absl::Status Loader::LoadDown(size_t block) {
  const std::string name = absl::StrCat("down_blocks.", block);
  const int64_t outputs = config_.block_out_channels[block];
  for (int64_t i = 0; i < config_.layers_per_block; ++i) {
    RETURN_IF_ERROR(AddResnet(absl::StrCat(name, ".resnets.", i), outputs, -1));
    if (config_.down_cross_attention[block]) {
      RETURN_IF_ERROR(
          AddTransformer(absl::StrCat(name, ".attentions.", i), block));
    }
    SaveSkip();
  }
  // Halves behind every down block but the last.
  if (block + 1 < config_.block_out_channels.size()) {
    RETURN_IF_ERROR(AddDownsampler(name + ".downsamplers.0.conv"));
    SaveSkip();
  }
  return absl::OkStatus();
}

// Adds the middle: resnet, transformer, resnet, at the deepest level.
absl::Status Loader::LoadMid() {
  // Takes heads and depth of the deepest down block, as diffusers does.
  const size_t last = config_.block_out_channels.size() - 1;
  RETURN_IF_ERROR(AddResnet("mid_block.resnets.0", channels_, -1));
  RETURN_IF_ERROR(AddTransformer("mid_block.attentions.0", last));
  return AddResnet("mid_block.resnets.1", channels_, -1);
}

// `step` counts up blocks from the deepest; its widths are those of the
// mirrored down block.
absl::Status Loader::LoadUp(size_t step) {
  const size_t block = config_.block_out_channels.size() - 1 - step;
  const std::string name = absl::StrCat("up_blocks.", step);
  const int64_t outputs = config_.block_out_channels[block];
  // Takes one skip more than the block has layers: that of the picture which
  // entered the down block, made by the downsampler before it or by conv_in.
  for (int64_t i = 0; i < config_.layers_per_block + 1; ++i) {
    // Guards the pop below; with as many up as down blocks the skips just
    // suffice.
    if (open_skips_.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("up block without a skip to take: ", name));
    }
    // Takes the skip saved last: the up path mirrors the down path.
    const int skip = open_skips_.back();
    open_skips_.pop_back();
    RETURN_IF_ERROR(
        AddResnet(absl::StrCat(name, ".resnets.", i), outputs, skip));
    if (config_.up_cross_attention[step]) {
      RETURN_IF_ERROR(
          AddTransformer(absl::StrCat(name, ".attentions.", i), block));
    }
  }
  // Doubles behind every up block but the last.
  if (block > 0) {
    RETURN_IF_ERROR(AddUpsampler(name + ".upsamplers.0.conv"));
  }
  return absl::OkStatus();
}

// Adds everything in the order of running, and so numbers the layers.
absl::StatusOr<UNetParts> Loader::Load() {
  const int64_t first = config_.block_out_channels.front();
  if (source_.has_value()) {
    ASSIGN_OR_RETURN(parts_.time,
                     TimeEmbedding::Load(
                         *source_, {.sinusoids = first,
                                    .outputs = kTimeMultiple * first,
                                    .flip_sin_to_cos = config_.flip_sin_to_cos,
                                    .freq_shift = config_.freq_shift}));
  }
  if (source_.has_value() && config_.has_added_embedding()) {
    ASSIGN_OR_RETURN(parts_.added,
                     AddedEmbedding::Load(
                         *source_, {.inputs = config_.added_inputs,
                                    .sinusoids = config_.added_sinusoids,
                                    .outputs = kTimeMultiple * first,
                                    .flip_sin_to_cos = config_.flip_sin_to_cos,
                                    .freq_shift = config_.freq_shift}));
  }
  if (OwnsNext()) {
    ASSIGN_OR_RETURN(parts_.conv_in,
                     Conv2d::Load(*source_, {.name = "conv_in",
                                             .inputs = config_.in_channels,
                                             .outputs = first}));
  }
  channels_ = first;
  AddPiece(Kind::kConvIn, "conv_in", 0);
  SaveSkip();
  const size_t blocks = config_.block_out_channels.size();
  for (size_t block = 0; block < blocks; ++block) {
    RETURN_IF_ERROR(LoadDown(block));
  }
  // Checks here: behind the down path no skip is saved.
  if (static_cast<size_t>(num_skips_) > UNetState::kMaxSkips) {
    return absl::InvalidArgumentError(
        absl::StrCat("too many skips in the UNet: ", num_skips_));
  }
  RETURN_IF_ERROR(LoadMid());
  for (size_t step = 0; step < blocks; ++step) RETURN_IF_ERROR(LoadUp(step));
  if (OwnsNext()) {
    ASSIGN_OR_RETURN(
        parts_.norm_out,
        GroupNorm::Load(*source_, "conv_norm_out", channels_,
                        config_.norm_num_groups, config_.norm_eps));
    ASSIGN_OR_RETURN(parts_.conv_out,
                     Conv2d::Load(*source_, {.name = "conv_out",
                                             .inputs = channels_,
                                             .outputs = config_.out_channels}));
  }
  channels_ = config_.out_channels;
  AddPiece(Kind::kConvOut, "conv_out", 0);
  // Ends the loader: its source refers to the parts that move away.
  return std::move(parts_);
}

}  // namespace

absl::StatusOr<UNet> UNet::Load(const WeightReader& reader,
                                kernels::Device& device,
                                const UNetConfig& config) {
  const PieceRange all = PieceRange::All();
  return LoadPieces(reader, device, config, {&all, 1});
}

absl::StatusOr<UNet> UNet::LoadPieces(const WeightReader& reader,
                                      kernels::Device& device,
                                      const UNetConfig& config,
                                      std::span<const PieceRange> owned) {
  Loader loader(&reader, &device, config, owned);
  ASSIGN_OR_RETURN(UNetParts parts, loader.Load());
  const bool partial =
      std::any_of(parts.pieces.begin(), parts.pieces.end(),
                  [](const UNetPiece& piece) { return piece.index < 0; });
  if (partial) parts.table.set_partial();
  return UNet(std::move(parts));
}

absl::StatusOr<std::vector<UNetPiece>> UNet::ListPieces(
    const UNetConfig& config) {
  Loader loader(nullptr, nullptr, config, {});
  ASSIGN_OR_RETURN(UNetParts parts, loader.Load());
  return std::move(parts.pieces);
}

}  // namespace tessera::model
