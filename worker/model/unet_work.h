// What the pieces of a UNet cost, by count.
#ifndef TESSERA_WORKER_MODEL_UNET_WORK_H_
#define TESSERA_WORKER_MODEL_UNET_WORK_H_

#include <cstdint>
#include <span>
#include <vector>

#include "worker/model/unet_config.h"
#include "worker/model/unet_piece.h"

namespace tessera::model {

// One piece's work for one sample and call, and its weights.
struct PieceWork {
  int64_t multiplies = 0;  // multiply-adds, attention's products included
  int64_t weights = 0;     // elements
  int64_t outputs = 0;     // elements of its output
};

// Counts what `pieces`, which `config` implies, do to latents of height x
// width with `tokens` text tokens. The time embedding, which every part of a
// net has, counts for none of them.
std::vector<PieceWork> CountWork(const UNetConfig& config,
                                 std::span<const UNetPiece> pieces,
                                 int64_t height, int64_t width, int64_t tokens);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_UNET_WORK_H_
