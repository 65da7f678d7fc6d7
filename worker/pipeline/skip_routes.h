// Where the skips of a UNet that is cut go.
#ifndef TESSERA_WORKER_PIPELINE_SKIP_ROUTES_H_
#define TESSERA_WORKER_PIPELINE_SKIP_ROUTES_H_

#include <cstddef>
#include <span>
#include <vector>

#include "worker/model/unet_piece.h"
#include "worker/pipeline/schedule.h"

namespace tessera::pipeline {

// A skip that is saved in one segment and taken in another.
struct SkipRoute {
  int skip = 0;   // its number
  int saved = 0;  // segments
  int taken = 0;
  size_t piece = 0;  // that saves it

  friend bool operator==(const SkipRoute&, const SkipRoute&) = default;
};

// Returns the routes by number of skip; those within a segment are left out.
// `layout` has passed CheckLayout for `pieces`.
std::vector<SkipRoute> FindSkipRoutes(const Layout& layout,
                                      std::span<const model::UNetPiece> pieces);

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_SKIP_ROUTES_H_
