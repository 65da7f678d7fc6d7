// Problems for attention kernels, and what they should answer.
#ifndef TESSERA_TESTS_KERNELS_CUDA_ATTENTION_ATTENTION_PROBLEM_H_
#define TESSERA_TESTS_KERNELS_CUDA_ATTENTION_ATTENTION_PROBLEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kernels/cuda/attention/params.h"

namespace tessera::kernels::cuda {

// The shape of a problem. Each operand's rows have room for `before` elements
// in front of the heads and `after` behind them; both are full of NaN.
struct AttentionShape {
  int64_t n = 1, queries = 1, keys = 1, heads = 1, head_dim = 64;
  bool causal = false;
  int64_t before = 0, after = 0;
  float scale = 0;  // 0: 1 / sqrt(head_dim)
};

// Elements aligned to 16 bytes with a NaN row before and after them.
class HalfRows {
 public:
  // Makes rows * pitch elements; all are NaN.
  HalfRows(int64_t rows, int64_t pitch);

  uint16_t* data() { return first_; }
  const uint16_t* data() const { return first_; }
  int64_t size() const { return size_; }

  // Returns whether the rows before and after are still NaN.
  bool GuardsAreWhole() const;

 private:
  std::vector<uint16_t> storage_;
  uint16_t* first_;
  int64_t size_;
  int64_t guard_;
};

// Operands on the host in f16 or bf16.
class AttentionProblem {
 public:
  // Fills q, k and v by value(operand 0..2, index), rounded to `dtype`.
  AttentionProblem(const AttentionShape& shape, DType dtype,
                   const std::function<float(int, int64_t)>& value);

  // Fills them with numbers between -1 and 1 that depend on `seed`.
  AttentionProblem(const AttentionShape& shape, DType dtype, uint32_t seed);

  const AttentionShape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  HalfRows& operand(int which) { return *operands_[which]; }
  HalfRows& out() { return *out_; }

  // Returns parameters that point to the operands here.
  AttentionParams params();

  // Returns picture `n` as a problem of its own.
  AttentionProblem Picture(int64_t n) const;

  // Returns the largest difference of the outputs from softmax(scale * q k') v
  // in double precision, relative to the largest |v|; infinity if one is not a
  // number. The overload looks at every stride-th row (picture, query, head).
  double Error() const { return Error(1); }
  double Error(int64_t stride) const;

 private:
  int64_t pitch() const;
  // Returns a row (picture, query, head) of the answer in double precision.
  std::vector<double> ReferenceRow(int64_t row) const;
  // Returns an operand's element.
  double At(int which, int64_t n, int64_t row, int64_t column) const;

  AttentionShape shape_;
  DType dtype_;
  std::vector<std::shared_ptr<HalfRows>> operands_;
  std::shared_ptr<HalfRows> out_;
};

// Returns the error that rounding permits, relative to the largest |v|: half
// an ulp of each probability, whose sum is one, and half an ulp of the output.
double AttentionTolerance(DType dtype);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_KERNELS_CUDA_ATTENTION_ATTENTION_PROBLEM_H_
