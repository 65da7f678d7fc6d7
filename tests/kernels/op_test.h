// What the tests of ops share: random tensors, every machine, comparisons.
#ifndef TESSERA_TESTS_KERNELS_OP_TEST_H_
#define TESSERA_TESTS_KERNELS_OP_TEST_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/device.h"
#include "kernels/packed_weights.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

// Returns normal numbers of standard deviation 1, the same for equal seeds.
Tensor Random(const Shape& shape, uint32_t seed);

// Packs f32 weights [n, k] or [cout, cin, kh, kw].
PackedWeights Pack(const Tensor& weights);

// Returns the instruction sets of this machine that the ops are built for,
// as Highway's bits.
std::vector<int64_t> InstructionSets();

// Runs `compute` on every instruction set with 1, 2 and 3 threads, expects
// the same bits and no error from all, and returns them.
Tensor OnEveryMachine(const std::function<Tensor(Stream&)>& compute);

// Expects every element within `tolerance` of the root mean square of
// `expected` (of its own magnitude where that is larger).
void ExpectNear(const Tensor& actual, const std::vector<double>& expected,
                double tolerance);

// Expects equal bits.
void ExpectSameBits(const TensorView& actual, const TensorView& expected);

// Expects that `compute` leaves INVALID_ARGUMENT with `text` on its stream.
void ExpectRefused(const std::function<void(Stream&)>& compute,
                   const std::string& text);

}  // namespace tessera::kernels

#endif  // TESSERA_TESTS_KERNELS_OP_TEST_H_
