#include "worker/model/file_shape.h"

#include "common/check.h"

namespace tessera::model {

using kernels::Shape;

// The rank of a Shape is fixed when it is made, hence a case for each.
Shape ShapeOf(const std::vector<int64_t>& extents) {
  const std::vector<int64_t>& e = extents;
  // Holds for all callers, which refuse deeper shapes with their own message.
  CHECK(e.size() <= Shape::kMaxRank);
  switch (e.size()) {
    case 0:
      return Shape{};
    case 1:
      return Shape{e[0]};
    case 2:
      return Shape{e[0], e[1]};
    case 3:
      return Shape{e[0], e[1], e[2]};
    case 4:
      return Shape{e[0], e[1], e[2], e[3]};
    default:
      return Shape{e[0], e[1], e[2], e[3], e[4]};
  }
}

}  // namespace tessera::model
