// Shapes as files spell them: lists of extents.
#ifndef TESSERA_WORKER_MODEL_FILE_SHAPE_H_
#define TESSERA_WORKER_MODEL_FILE_SHAPE_H_

#include <cstdint>
#include <vector>

#include "kernels/shape.h"

namespace tessera::model {

// Returns the shape of these extents, which are not negative and at most
// Shape::kMaxRank; the caller has checked that.
kernels::Shape ShapeOf(const std::vector<int64_t>& extents);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_FILE_SHAPE_H_
