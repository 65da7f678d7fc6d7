#include "worker/model/unet_work.h"

#include <map>

namespace tessera::model {
namespace {

using Kind = UNetPiece::Kind;

// Weights of a 3x3 convolution between channels, without its bias.
constexpr int64_t kKernel = 9;
// The width of a feed-forward layer in channels; GEGLU has two of it.
constexpr int64_t kFeedForward = 4;
// The width of the time embedding in channels of the first block.
constexpr int64_t kTimeMultiple = 4;

// Counts a 3x3 convolution with `pixels` outputs.
void AddConv(int64_t inputs, int64_t outputs, int64_t pixels, PieceWork& work) {
  work.multiplies += kKernel * inputs * outputs * pixels;
  work.weights += kKernel * inputs * outputs + outputs;
}

// Counts a matrix that `rows` rows are multiplied by.
void AddMatrix(int64_t inputs, int64_t outputs, int64_t rows, bool bias,
               PieceWork& work) {
  work.multiplies += inputs * outputs * rows;
  work.weights += inputs * outputs + (bias ? outputs : 0);
}

// Counts two norms, two convolutions, the projection of the time and, where
// the channels change, that of the input.
void AddResnet(int64_t inputs, int64_t outputs, int64_t time, int64_t pixels,
               PieceWork& work) {
  work.weights += 2 * inputs + 2 * outputs;
  AddConv(inputs, outputs, pixels, work);
  AddConv(outputs, outputs, pixels, work);
  AddMatrix(time, outputs, 1, true, work);
  if (inputs != outputs) AddMatrix(inputs, outputs, pixels, true, work);
}

// Counts the projections in and out and `depth` layers of self-attention,
// cross-attention and feed-forward.
void AddTransformer(int64_t channels, int64_t context, int64_t depth,
                    int64_t pixels, int64_t tokens, PieceWork& work) {
  work.weights += 2 * channels;
  AddMatrix(channels, channels, pixels, true, work);
  AddMatrix(channels, channels, pixels, true, work);
  for (int64_t layer = 0; layer < depth; ++layer) {
    work.weights += 6 * channels;
    AddMatrix(channels, 3 * channels, pixels, false, work);
    AddMatrix(channels, channels, pixels, true, work);
    work.multiplies += 2 * pixels * pixels * channels;
    AddMatrix(channels, channels, pixels, false, work);
    AddMatrix(context, 2 * channels, tokens, false, work);
    AddMatrix(channels, channels, pixels, true, work);
    work.multiplies += 2 * pixels * tokens * channels;
    AddMatrix(channels, 2 * kFeedForward * channels, pixels, true, work);
    AddMatrix(kFeedForward * channels, channels, pixels, true, work);
  }
}

}  // namespace

std::vector<PieceWork> CountWork(const UNetConfig& config,
                                 std::span<const UNetPiece> pieces,
                                 int64_t height, int64_t width,
                                 int64_t tokens) {
  const int64_t time = kTimeMultiple * config.block_out_channels.front();
  std::vector<PieceWork> all;
  std::map<int, int64_t> skips;  // channels by number
  int64_t channels = config.in_channels;
  for (const UNetPiece& piece : pieces) {
    int64_t h = height;
    int64_t w = width;
    for (int level = 0; level < piece.level; ++level) {
      h = (h + 1) / 2;
      w = (w + 1) / 2;
    }
    const int64_t pixels = h * w;
    int64_t inputs = channels;
    if (piece.takes_skip >= 0) inputs += skips[piece.takes_skip];
    PieceWork work{.outputs = piece.outputs * pixels};
    switch (piece.kind) {
      case Kind::kResnet:
        AddResnet(inputs, piece.outputs, time, pixels, work);
        break;
      case Kind::kTransformer:
        // Takes the depth of its block: a level has one.
        AddTransformer(
            channels, config.cross_attention_dim,
            config.transformer_layers[static_cast<size_t>(piece.level)], pixels,
            tokens, work);
        break;
      case Kind::kConvOut:
        work.weights += 2 * inputs;
        AddConv(inputs, piece.outputs, pixels, work);
        break;
      case Kind::kConvIn:
      case Kind::kDownsample:
      case Kind::kUpsample:
        AddConv(inputs, piece.outputs, pixels, work);
        break;
    }
    channels = piece.outputs;
    if (piece.saves_skip >= 0) skips[piece.saves_skip] = channels;
    all.push_back(work);
  }
  return all;
}

}  // namespace tessera::model
