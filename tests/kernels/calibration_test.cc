#include "kernels/calibration.h"

#include <memory>

#include "gtest/gtest.h"
#include "kernels/ops/gemm.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels {
namespace {

TEST(CalibrationTest, NotesTheLargestInputThatEachLayerReads) {
  const auto device = CalibratingDevice::Create(1).value();
  const PackedWeights first =
      PackGemmWeights(*device, Random({4, 3}, 1).view()).value();
  const PackedWeights second =
      PackGemmWeights(*device, Random({4, 3}, 2).view()).value();
  Tensor a({2, 5}, DType::kF32), out({2, 4}, DType::kF32);
  a.f32()[0] = 100;  // outside of the columns that are read
  a.f32()[1] = 0.5f;
  a.f32()[8] = -7;
  Stream stream(*device);

  kernels::Gemm(
      stream,
      {.a = a.view(), .a_column = 1, .weights = first, .out = out.view()});
  a.f32()[8] = 2;
  kernels::Gemm(
      stream,
      {.a = a.view(), .a_column = 1, .weights = first, .out = out.view()});

  ASSERT_TRUE(stream.Synchronize().ok());
  EXPECT_EQ(device->LargestInput(first), 7);
  EXPECT_EQ(device->LargestInput(second), 0);
}

TEST(CalibrationTest, ComputesTheBitsOfTheCpu) {
  const auto device = CalibratingDevice::Create(1).value();
  const Tensor weights = Random({20, 33}, 1), a = Random({5, 33}, 2);
  const auto run = [&](Device& on) {
    const PackedWeights packed = PackGemmWeights(on, weights.view()).value();
    Tensor out({5, 20}, DType::kF32);
    Stream stream(on);
    kernels::Gemm(stream,
                  {.a = a.view(), .weights = packed, .out = out.view()});
    EXPECT_TRUE(stream.Synchronize().ok());
    return std::vector<float>(out.f32(), out.f32() + 100);
  };

  EXPECT_EQ(run(*device), run(*CreateCpuDevice(1).value()));
}

}  // namespace
}  // namespace tessera::kernels
