// Shapes of tensors.
#ifndef TESSERA_KERNELS_SHAPE_H_
#define TESSERA_KERNELS_SHAPE_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "common/check.h"

namespace tessera::kernels {

// Up to five dimensions, row-major, without heap memory.
class Shape {
 public:
  static constexpr int kMaxRank = 5;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) {
    CHECK(dims.size() <= kMaxRank);
    for (const int64_t dim : dims) Append(dim);
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[i]; }

  // Returns the product of all dimensions; 1 for rank 0.
  int64_t elements() const {
    int64_t product = 1;
    for (int i = 0; i < rank_; ++i) product *= dims_[i];
    return product;
  }

  // Returns the last dimension, and the product of those before it: the
  // tensor seen as rows.
  int64_t columns() const { return rank_ == 0 ? 1 : dims_[rank_ - 1]; }
  int64_t rows() const { return columns() == 0 ? 0 : elements() / columns(); }

  // Adds a dimension at the end; at most kMaxRank in all.
  void Append(int64_t dim) {
    CHECK(rank_ < kMaxRank);
    dims_[rank_++] = dim;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a.dims_[i] != b.dims_[i]) return false;
    }
    return true;
  }

  // Returns "[2, 16, 16, 64]".
  std::string ToString() const;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_SHAPE_H_
