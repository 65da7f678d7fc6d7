// Ways to cut a UNet.
#ifndef TESSERA_TESTS_UNIT_WORKER_PIPELINE_LAYOUTS_H_
#define TESSERA_TESTS_UNIT_WORKER_PIPELINE_LAYOUTS_H_

#include <algorithm>
#include <span>
#include <vector>

#include "worker/model/unet_piece.h"
#include "worker/pipeline/schedule.h"

namespace tessera::pipeline {

// Returns the piece behind which every skip is taken that is saved before
// piece `down`: where the mirror image of a cut before `down` lies.
inline size_t Mirror(std::span<const model::UNetPiece> pieces, size_t down) {
  int saved = 0;
  for (size_t i = 0; i < down; ++i) saved += pieces[i].saves_skip >= 0 ? 1 : 0;
  int taken = 0;
  size_t up = pieces.size();
  while (taken < saved) taken += pieces[--up].takes_skip >= 0 ? 1 : 0;
  return up;
}

// Cuts the way down before each of `downs`, rising, and the way up likewise.
inline Layout Folded(std::span<const model::UNetPiece> pieces,
                     const std::vector<size_t>& downs) {
  const int ranks = static_cast<int>(downs.size()) + 1;
  Layout layout{.ranks = ranks};
  size_t begin = 0;
  for (int rank = 0; rank + 1 < ranks; ++rank) {
    layout.segments.push_back({rank, begin, downs[rank]});
    begin = downs[rank];
  }
  const auto up = [&](int rank) {
    return rank < 0 ? pieces.size() : Mirror(pieces, downs[rank]);
  };
  layout.segments.push_back({ranks - 1, begin, up(ranks - 2)});
  for (int rank = ranks - 2; rank >= 0; --rank) {
    layout.segments.push_back({rank, up(rank), up(rank - 1)});
  }
  return layout;
}

// Cuts before each of `cuts`, rising; rank 0 takes the prediction.
inline Layout Linear(size_t pieces, const std::vector<size_t>& cuts) {
  Layout layout{.ranks = static_cast<int>(cuts.size()) + 1};
  size_t begin = 0;
  for (size_t rank = 0; rank <= cuts.size(); ++rank) {
    const size_t end = rank < cuts.size() ? cuts[rank] : pieces;
    layout.segments.push_back({static_cast<int>(rank), begin, end});
    begin = end;
  }
  layout.segments.push_back({0, pieces, pieces});
  return layout;
}

}  // namespace tessera::pipeline

#endif  // TESSERA_TESTS_UNIT_WORKER_PIPELINE_LAYOUTS_H_
