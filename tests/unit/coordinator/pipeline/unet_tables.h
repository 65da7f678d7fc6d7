// Cost tables of real UNets.
#ifndef TESSERA_TESTS_UNIT_COORDINATOR_PIPELINE_UNET_TABLES_H_
#define TESSERA_TESTS_UNIT_COORDINATOR_PIPELINE_UNET_TABLES_H_

#include <vector>

#include "coordinator/pipeline/planner.h"
#include "worker/model/unet.h"
#include "worker/model/unet_work.h"

namespace tessera::coordinator {

// Bytes of an element in f16.
inline constexpr int64_t kHalf = 2;
inline constexpr int64_t kTokens = 77;

// runwayml/stable-diffusion-v1-5, unet/config.json.
inline model::UNetConfig StableDiffusion15() {
  model::UNetConfig config;
  config.sample_size = 64;
  config.in_channels = 4;
  config.out_channels = 4;
  config.block_out_channels = {320, 640, 1280, 1280};
  config.layers_per_block = 2;
  config.down_cross_attention = {true, true, true, false};
  config.up_cross_attention = {false, true, true, true};
  config.attention_heads = {8, 8, 8, 8};
  config.transformer_layers = {1, 1, 1, 1};
  config.cross_attention_dim = 768;
  config.norm_num_groups = 32;
  return config;
}

// stabilityai/stable-diffusion-xl-base-1.0, unet/config.json.
inline model::UNetConfig StableDiffusionXl() {
  model::UNetConfig config = StableDiffusion15();
  config.sample_size = 128;
  config.block_out_channels = {320, 640, 1280};
  config.down_cross_attention = {false, true, true};
  config.up_cross_attention = {true, true, false};
  config.attention_heads = {5, 10, 20};
  config.transformer_layers = {1, 2, 10};
  config.cross_attention_dim = 2048;
  config.use_linear_projection = true;
  return config;
}

// Counts every piece; `depth` layers in each transformer unless it is 0.
inline std::vector<model::PieceWork> Count(model::UNetConfig config,
                                           int64_t depth) {
  if (depth > 0) {
    config.transformer_layers.assign(config.transformer_layers.size(), depth);
  }
  return model::CountWork(config, model::UNet::ListPieces(config).value(),
                          config.sample_size, config.sample_size, kTokens);
}

// Returns a piece's row, with a tera multiply-add as a second.
inline PieceCost Row(const model::UNetPiece& piece,
                     const model::PieceWork& work) {
  return {.name = piece.name,
          .seconds = static_cast<double>(work.multiplies) / 1e12,
          .weight_bytes = work.weights * kHalf,
          .output_bytes = work.outputs * kHalf,
          .saves_skip = piece.saves_skip,
          .takes_skip = piece.takes_skip};
}

// Returns the table of a UNet that is cut between resnets, single transformer
// layers and resamplers. A cut within a transformer carries its input too,
// which is added behind the last layer.
inline std::vector<PieceCost> TableOf(const model::UNetConfig& config) {
  const std::vector<model::UNetPiece> pieces =
      model::UNet::ListPieces(config).value();
  const std::vector<model::PieceWork> whole = Count(config, 0);
  const std::vector<model::PieceWork> one = Count(config, 1);
  const std::vector<model::PieceWork> two = Count(config, 2);
  std::vector<PieceCost> table;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const model::UNetPiece& piece = pieces[i];
    if (piece.kind != model::UNetPiece::Kind::kTransformer) {
      table.push_back(Row(piece, whole[i]));
      continue;
    }
    const int64_t depth =
        config.transformer_layers[static_cast<size_t>(piece.level)];
    // The projections are halved between the first and the last layer.
    const int64_t layer = two[i].multiplies - one[i].multiplies;
    const int64_t weights = two[i].weights - one[i].weights;
    for (int64_t k = 0; k < depth; ++k) {
      const int64_t halves = (k == 0 ? 1 : 0) + (k + 1 == depth ? 1 : 0);
      PieceCost row =
          Row(piece,
              {.multiplies = layer + (one[i].multiplies - layer) * halves / 2,
               .weights = weights + (one[i].weights - weights) * halves / 2,
               .outputs = whole[i].outputs * (k + 1 < depth ? 2 : 1)});
      if (k + 1 < depth) row.saves_skip = -1;
      table.push_back(row);
    }
  }
  return table;
}

}  // namespace tessera::coordinator

#endif  // TESSERA_TESTS_UNIT_COORDINATOR_PIPELINE_UNET_TABLES_H_
