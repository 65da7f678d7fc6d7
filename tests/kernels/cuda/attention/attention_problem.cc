#include "tests/kernels/cuda/attention/attention_problem.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/kernels/cuda/attention/half_bits.h"

namespace tessera::kernels::cuda {
namespace {

// A quiet NaN in f16 and in bf16.
constexpr uint16_t kNan = 0x7FFF;

// Returns a number between -1 and 1: a hash (Wellons, lowbias32) of where it
// stands.
float Noise(uint32_t seed, int operand, int64_t index) {
  uint32_t x =
      static_cast<uint32_t>(index) * 2654435761u + seed * 97u + operand;
  x = (x ^ (x >> 16)) * 0x7FEB352Du;
  x = (x ^ (x >> 15)) * 0x846CA68Bu;
  x ^= x >> 16;
  return static_cast<float>(x) * 0x1p-31f - 1.0f;
}

}  // namespace

HalfRows::HalfRows(int64_t rows, int64_t pitch)
    : storage_((rows + 2) * pitch + 16, kNan),
      first_(storage_.data() + pitch),
      size_(rows * pitch),
      guard_(pitch) {
  while (reinterpret_cast<uintptr_t>(first_) % 16 != 0) ++first_;
}

bool HalfRows::GuardsAreWhole() const {
  const auto is_nan = [](uint16_t x) { return x == kNan; };
  return std::all_of(first_ - guard_, first_ + 0, is_nan) &&
         std::all_of(first_ + size_, first_ + size_ + guard_, is_nan);
}

AttentionProblem::AttentionProblem(
    const AttentionShape& shape, DType dtype,
    const std::function<float(int, int64_t)>& value)
    : shape_(shape), dtype_(dtype) {
  const int64_t width = shape.heads * shape.head_dim;
  for (int which = 0; which < 3; ++which) {
    const int64_t rows = shape.n * (which == 0 ? shape.queries : shape.keys);
    operands_.push_back(std::make_shared<HalfRows>(rows, pitch()));
    for (int64_t row = 0; row < rows; ++row) {
      uint16_t* to = operand(which).data() + row * pitch() + shape.before;
      for (int64_t i = 0; i < width; ++i) {
        to[i] = ToBits(dtype, value(which, row * width + i));
      }
    }
  }
  out_ = std::make_shared<HalfRows>(shape.n * shape.queries, width);
}

AttentionProblem::AttentionProblem(const AttentionShape& shape, DType dtype,
                                   uint32_t seed)
    : AttentionProblem(shape, dtype, [&](int operand, int64_t index) {
        return Noise(seed, operand, index);
      }) {}

int64_t AttentionProblem::pitch() const {
  return shape_.before + shape_.heads * shape_.head_dim + shape_.after;
}

AttentionParams AttentionProblem::params() {
  const float scale = shape_.scale != 0
                          ? shape_.scale
                          : 1 / std::sqrt(static_cast<float>(shape_.head_dim));
  return {.q = {operand(0).data(), pitch(), shape_.before},
          .k = {operand(1).data(), pitch(), shape_.before},
          .v = {operand(2).data(), pitch(), shape_.before},
          .out = out_->data(),
          .n = shape_.n,
          .queries = shape_.queries,
          .keys = shape_.keys,
          .heads = shape_.heads,
          .head_dim = shape_.head_dim,
          .scale = scale,
          .causal = shape_.causal,
          .dtype = dtype_};
}

AttentionProblem AttentionProblem::Picture(int64_t n) const {
  AttentionShape shape = shape_;
  shape.n = 1;
  const int64_t width = shape.heads * shape.head_dim;
  return AttentionProblem(shape, dtype_, [&](int which, int64_t index) {
    return At(which, n, index / width, index % width);
  });
}

double AttentionProblem::At(int which, int64_t n, int64_t row,
                            int64_t column) const {
  const int64_t rows = which == 0 ? shape_.queries : shape_.keys;
  return FromBits(dtype_, operands_[which]->data()[(n * rows + row) * pitch() +
                                                   shape_.before + column]);
}

std::vector<double> AttentionProblem::ReferenceRow(int64_t row) const {
  const AttentionShape& s = shape_;
  const double scale =
      s.scale != 0 ? s.scale : 1 / std::sqrt(static_cast<double>(s.head_dim));
  const int64_t head = row % s.heads, query = row / s.heads % s.queries;
  const int64_t n = row / s.heads / s.queries, first = head * s.head_dim;
  const int64_t keys = s.causal ? query + 1 : s.keys;
  std::vector<double> out(s.head_dim, 0.0), p(keys, 0.0);
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (int64_t key = 0; key < keys; ++key) {
    for (int64_t d = first; d < first + s.head_dim; ++d) {
      p[key] += At(0, n, query, d) * At(1, n, key, d);
    }
    p[key] *= scale;
    largest = std::max(largest, p[key]);
  }
  for (int64_t key = 0; key < keys; ++key) {
    p[key] = std::exp(p[key] - largest);
    sum += p[key];
  }
  for (int64_t key = 0; key < keys; ++key) {
    for (int64_t d = 0; d < s.head_dim; ++d) {
      out[d] += p[key] / sum * At(2, n, key, first + d);
    }
  }
  return out;
}

double AttentionProblem::Error(int64_t stride) const {
  const AttentionShape& s = shape_;
  double largest = 0, error = 0;
  for (int64_t row = 0; row < s.n * s.keys; ++row) {
    for (int64_t i = 0; i < s.heads * s.head_dim; ++i) {
      largest = std::max(largest, std::fabs(At(2, 0, row, i)));
    }
  }
  for (int64_t row = 0; row < s.n * s.queries * s.heads; row += stride) {
    const std::vector<double> expected = ReferenceRow(row);
    for (int64_t d = 0; d < s.head_dim; ++d) {
      const double value = FromBits(dtype_, out_->data()[row * s.head_dim + d]);
      if (std::isnan(value)) return std::numeric_limits<double>::infinity();
      error = std::max(error, std::fabs(value - expected[d]));
    }
  }
  return error / largest;
}

double AttentionTolerance(DType dtype) {
  const double half_ulp = dtype == DType::kF16 ? 0x1p-11 : 0x1p-8;
  return 2 * half_ulp * 1.01;
}

}  // namespace tessera::kernels::cuda
