#include "tests/kernels/op_test.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hwy/highway.h"

namespace tessera::kernels {
namespace {

std::unique_ptr<Device> OpenDevice(int threads) {
  absl::StatusOr<std::unique_ptr<Device>> device = CreateCpuDevice(threads);
  CHECK(device.ok());
  return *std::move(device);
}

}  // namespace

Tensor Random(const Shape& shape, uint32_t seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<float> normal;
  Tensor tensor(shape, DType::kF32);
  for (int64_t i = 0; i < shape.elements(); ++i) tensor.f32()[i] = normal(bits);
  return tensor;
}

PackedWeights Pack(const Tensor& weights) {
  const std::unique_ptr<Device> device = OpenDevice(1);
  absl::StatusOr<PackedWeights> packed =
      weights.shape().rank() == 2 ? PackGemmWeights(*device, weights.view())
                                  : PackConvWeights(*device, weights.view());
  CHECK(packed.ok());
  return *std::move(packed);
}

std::vector<int64_t> InstructionSets() {
  std::vector<int64_t> sets;
  for (const int64_t target :
       {static_cast<int64_t>(HWY_AVX2), static_cast<int64_t>(HWY_AVX3)}) {
    if ((hwy::SupportedTargets() & target) != 0) sets.push_back(target);
  }
  return sets;
}

Tensor OnEveryMachine(const std::function<Tensor(Stream&)>& compute) {
  Tensor first;
  for (const int64_t target : InstructionSets()) {
    for (const int threads : {1, 2, 3}) {
      SCOPED_TRACE(testing::Message()
                   << hwy::TargetName(static_cast<uint32_t>(target)) << ", "
                   << threads << " threads");
      hwy::SetSupportedTargetsForTest(static_cast<uint32_t>(target));
      const std::unique_ptr<Device> device = OpenDevice(threads);
      Stream stream(*device);
      Tensor result = compute(stream);
      const absl::Status status = stream.Synchronize();
      EXPECT_TRUE(status.ok()) << status;
      if (first.empty()) {
        first = std::move(result);
      } else {
        ExpectSameBits(result.view(), first.view());
      }
      hwy::SetSupportedTargetsForTest(0);
    }
  }
  return first;
}

void ExpectNear(const Tensor& actual, const std::vector<double>& expected,
                double tolerance) {
  ASSERT_EQ(actual.shape().elements(), static_cast<int64_t>(expected.size()));
  double squares = 0;
  for (const double value : expected) squares += value * value;
  const double rms = std::sqrt(squares / static_cast<double>(expected.size()));
  double worst = 0;
  size_t where = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(actual.f32()[i] - expected[i]) /
                         std::max(rms, std::abs(expected[i]));
    if (!(error <= worst)) {
      worst = error;
      where = i;
    }
  }
  EXPECT_LE(worst, tolerance)
      << "element " << where << ": " << actual.f32()[where] << ", expected "
      << expected[where];
}

void ExpectSameBits(const TensorView& actual, const TensorView& expected) {
  ASSERT_EQ(actual.shape, expected.shape);
  ASSERT_EQ(actual.dtype, expected.dtype);
  EXPECT_EQ(std::memcmp(actual.data, expected.data,
                        static_cast<size_t>(actual.bytes())),
            0);
}

void ExpectRefused(const std::function<void(Stream&)>& compute,
                   const std::string& text) {
  const std::unique_ptr<Device> device = OpenDevice(1);
  Stream stream(*device);
  compute(stream);
  const absl::Status status = stream.Synchronize();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(text));
}

}  // namespace tessera::kernels
