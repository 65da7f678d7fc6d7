// Plain matrices in double, to compute what adapters should come to.
#ifndef TESSERA_TESTS_UNIT_WORKER_LORA_MATRIX_H_
#define TESSERA_TESTS_UNIT_WORKER_LORA_MATRIX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/unit/worker/lora/adapter_builder.h"
#include "worker/lora/difference.h"

namespace tessera::lora {

// A matrix, row by row.
struct Matrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<double> values;

  Matrix(int64_t r, int64_t c)
      : rows(r), columns(c), values(static_cast<size_t>(r * c)) {}

  // The matrix of Numbers that a builder writes for this seed.
  static Matrix Of(int64_t r, int64_t c, int seed) {
    Matrix matrix(r, c);
    const std::vector<float> numbers = Numbers(r * c, seed);
    matrix.values.assign(numbers.begin(), numbers.end());
    return matrix;
  }

  double& At(int64_t r, int64_t c) {
    return values[static_cast<size_t>(r * columns + c)];
  }
  double At(int64_t r, int64_t c) const {
    return values[static_cast<size_t>(r * columns + c)];
  }
};

// Returns a · b.
inline Matrix Times(const Matrix& a, const Matrix& b) {
  Matrix product(a.rows, b.columns);
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < b.columns; ++j) {
      for (int64_t k = 0; k < a.columns; ++k) {
        product.At(i, j) += a.At(i, k) * b.At(k, j);
      }
    }
  }
  return product;
}

// Returns the Tucker product of a core [p, q, window], a [p, out] and b
// [q, in], as [out, in · window]: Σ core[i, j, w] · a[i, o] · b[j, n].
inline Matrix Tucker(const Matrix& core, int64_t window, const Matrix& a,
                     const Matrix& b) {
  Matrix product(a.columns, b.columns * window);
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < b.rows; ++j) {
      for (int64_t o = 0; o < a.columns; ++o) {
        for (int64_t n = 0; n < b.columns; ++n) {
          for (int64_t w = 0; w < window; ++w) {
            product.At(o, n * window + w) +=
                core.At(i, j * window + w) * a.At(i, o) * b.At(j, n);
          }
        }
      }
    }
  }
  return product;
}

// Returns strength · ΔW as the difference computes it.
inline Matrix Evaluate(const Difference& difference, double strength) {
  const MatrixShape shape = difference.shape();
  Matrix sum(shape.rows, shape.columns);
  difference.AddTo(strength, sum.values);
  return sum;
}

// Expects equality up to one rounding of a folded factor to f32.
inline constexpr double kFoldTolerance = 1e-6;

}  // namespace tessera::lora

#endif  // TESSERA_TESTS_UNIT_WORKER_LORA_MATRIX_H_
