// A tensor's extents, at most five, held without allocation.
#ifndef TESSERA_KERNELS_SHAPE_H_
#define TESSERA_KERNELS_SHAPE_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "common/check.h"

namespace tessera::kernels {

// Extents in row-major order: the last one is contiguous in memory. Pictures
// are NHWC, token sequences are [batch, token, channel].
class Shape {
 public:
  static constexpr int kMaxRank = 5;

  // The shape of a scalar: rank 0, one element.
  constexpr Shape() = default;

  // Extents must be non-negative and at most kMaxRank.
  constexpr Shape(std::initializer_list<int64_t> extents)
      : rank_(static_cast<int>(extents.size())) {
    CHECK(extents.size() <= kMaxRank);
    int axis = 0;
    for (int64_t extent : extents) {
      CHECK(extent >= 0);
      extents_[axis++] = extent;
    }
  }

  // Returns the number of axes.
  constexpr int rank() const { return rank_; }

  // Returns one extent; a negative axis counts from the end (-1 is the last).
  constexpr int64_t operator[](int axis) const {
    const int index = axis < 0 ? axis + rank_ : axis;
    CHECK(index >= 0 && index < rank_);
    return extents_[index];
  }

  // Replaces one extent; `axis` as in operator[].
  constexpr void Set(int axis, int64_t extent) {
    const int index = axis < 0 ? axis + rank_ : axis;
    CHECK(index >= 0 && index < rank_ && extent >= 0);
    extents_[index] = extent;
  }

  // Returns the number of elements.
  constexpr int64_t elements() const {
    int64_t product = 1;
    for (int axis = 0; axis < rank_; ++axis) product *= extents_[axis];
    return product;
  }

  // Returns the product of all extents but the last: the rows of a matrix.
  constexpr int64_t rows() const {
    int64_t product = 1;
    for (int axis = 0; axis + 1 < rank_; ++axis) product *= extents_[axis];
    return product;
  }

  constexpr bool operator==(const Shape&) const = default;

  // Formats as "[2,64,64,320]" for messages.
  std::string ToString() const {
    std::string text = "[";
    for (int axis = 0; axis < rank_; ++axis) {
      if (axis > 0) text += ',';
      text += std::to_string(extents_[axis]);
    }
    return text + "]";
  }

 private:
  // Zero beyond the rank, so that == compares the extents alone.
  std::array<int64_t, kMaxRank> extents_ = {};
  int rank_ = 0;
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_SHAPE_H_
