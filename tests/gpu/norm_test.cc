#include <algorithm>
#include <vector>

#include "kernels/cuda/group_norm.h"
#include "kernels/cuda/layer_norm.h"
#include "kernels/ops/group_norm.h"
#include "kernels/ops/layer_norm.h"
#include "tests/gpu/kernel_test.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels::cuda {
namespace {

// One rounding of the result, and a few in f32 before it.
double Tolerance(DType dtype) { return 1.5 * Rounding(dtype) + 4e-6; }

// The same where a mean of 20 rounds by 1e-6, which a group whose few values
// happen to be close multiplies by its inverse deviation.
double OffsetTolerance(DType dtype) { return 1.5 * Rounding(dtype) + 3e-5; }

struct Case {
  int64_t n, pixels, channels, groups;
};

// Odd packs, groups across packs, one channel a group, slices with a short
// last one, lanes without pixels, more packs than threads.
const std::vector<Case> kCases = {
    {1, 1, 8, 2},     {2, 15, 12, 4},   {2, 64, 64, 32},  {3, 63, 30, 3},
    {1, 400, 66, 6},  {2, 33, 320, 32}, {1, 97, 640, 32}, {2, 256, 128, 32},
    {1, 9, 2048, 1},  {1, 5, 2560, 32}, {1, 70, 7, 7},    {2, 100, 960, 32},
    {1, 65, 4104, 2},
};

class GroupNormTest : public KernelTest {
 protected:
  static cudaError_t Launch(const Case& c, const DeviceBuffer& input,
                            const DeviceBuffer& weight,
                            const DeviceBuffer& bias, void* out, DType dtype,
                            int64_t first, int64_t n) {
    const GroupNormPlan plan = PlanGroupNorm(c.pixels, c.channels, c.groups,
                                             static_cast<int>(SizeOf(dtype)));
    const DeviceBuffer workspace(n * plan.picture_bytes);
    const int64_t picture = c.pixels * c.channels * SizeOf(dtype);
    const cudaError_t error = LaunchGroupNorm(
        {.input = static_cast<const char*>(input.data()) + first * picture,
         .weight = static_cast<const float*>(weight.data()),
         .bias = static_cast<const float*>(bias.data()),
         .out = out,
         .workspace = workspace.data(),
         .n = n,
         .pixels = c.pixels,
         .channels = c.channels,
         .groups = c.groups,
         .eps = 1e-5f,
         .silu = true,
         .dtype = dtype},
        nullptr);
    // The workspace may not go before the kernels have run.
    std::vector<uint8_t> ignored(static_cast<size_t>(workspace.bytes()));
    workspace.Download(ignored.data());
    return error;
  }
};

TEST_P(GroupNormTest, MatchesTheCpuOnEveryShape) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << c.n << "x" << c.pixels << "x"
                                    << c.channels << "/" << c.groups);
    Tensor input = Random({c.n, c.pixels, c.channels}, 1);
    // Far from zero, where sums of squares would lose their digits.
    for (int64_t i = 0; i < input.shape().elements(); ++i) input.f32()[i] += 20;
    input = Rounded(input, GetParam());
    const Tensor weight = Random({c.channels}, 2);
    const Tensor bias = Random({c.channels}, 3);
    Tensor expected(input.shape(), DType::kF32);
    OnCpu([&](Stream& stream) {
      kernels::GroupNorm(stream, {.input = input.view(),
                                  .groups = c.groups,
                                  .eps = 1e-5f,
                                  .weight = weight.view(),
                                  .bias = bias.view(),
                                  .silu = true,
                                  .out = expected.view()});
    });
    const DeviceBuffer x = Upload(input, GetParam());
    const DeviceBuffer w = Upload(weight, DType::kF32);
    const DeviceBuffer b = Upload(bias, DType::kF32);
    const DeviceBuffer out(x.bytes());

    ASSERT_EQ(Launch(c, x, w, b, out.data(), GetParam(), 0, c.n), cudaSuccess);

    ExpectClose(Fetch(out, input.shape(), GetParam()), expected,
                OffsetTolerance(GetParam()));
  }
}

TEST_P(GroupNormTest, PictureAloneHasTheBitsOfPictureAmongOthers) {
  const Case c = {3, 190, 320, 32};
  const DeviceBuffer x =
      Upload(Random({c.n, c.pixels, c.channels}, 1), GetParam());
  const DeviceBuffer w = Upload(Random({c.channels}, 2), DType::kF32);
  const DeviceBuffer b = Upload(Random({c.channels}, 3), DType::kF32);
  const int64_t picture = x.bytes() / c.n;

  const std::vector<uint8_t> all = BytesOf(x.bytes(), [&](void* out) {
    return Launch(c, x, w, b, out, GetParam(), 0, c.n);
  });

  for (int64_t n = 0; n < c.n; ++n) {
    const std::vector<uint8_t> alone = BytesOf(picture, [&](void* out) {
      return Launch(c, x, w, b, out, GetParam(), n, 1);
    });
    EXPECT_TRUE(
        std::equal(alone.begin(), alone.end(), all.begin() + n * picture));
  }
}

TEST_P(GroupNormTest, RepeatsItsBits) {
  const Case c = {2, 257, 320, 32};
  const DeviceBuffer x =
      Upload(Random({c.n, c.pixels, c.channels}, 1), GetParam());
  const DeviceBuffer w = Upload(Random({c.channels}, 2), DType::kF32);
  const DeviceBuffer b = Upload(Random({c.channels}, 3), DType::kF32);

  ExpectRepeatable(x.bytes(), [&](void* out) {
    return Launch(c, x, w, b, out, GetParam(), 0, c.n);
  });
}

INSTANTIATE_TEST_SUITE_P(EveryType, GroupNormTest,
                         testing::Values(DType::kF32, DType::kF16,
                                         DType::kBF16),
                         NameOf);

class LayerNormTest : public KernelTest {};

TEST_P(LayerNormTest, MatchesTheCpuOnEveryWidth) {
  for (const int64_t channels : {1, 7, 8, 31, 40, 320, 640, 1280, 2048, 4104}) {
    for (const int64_t rows : {1, 5}) {
      SCOPED_TRACE(testing::Message() << rows << "x" << channels);
      const Tensor input = Rounded(Random({rows, channels}, 1), GetParam());
      const Tensor weight = Random({channels}, 2), bias = Random({channels}, 3);
      Tensor expected(input.shape(), DType::kF32);
      OnCpu([&](Stream& stream) {
        kernels::LayerNorm(stream, {.input = input.view(),
                                    .eps = 1e-5f,
                                    .weight = weight.view(),
                                    .bias = bias.view(),
                                    .out = expected.view()});
      });
      const DeviceBuffer x = Upload(input, GetParam());
      const DeviceBuffer w = Upload(weight, DType::kF32);
      const DeviceBuffer b = Upload(bias, DType::kF32);
      const DeviceBuffer out(x.bytes());

      ASSERT_EQ(LaunchLayerNorm({.input = x.data(),
                                 .weight = static_cast<const float*>(w.data()),
                                 .bias = static_cast<const float*>(b.data()),
                                 .out = out.data(),
                                 .rows = rows,
                                 .channels = channels,
                                 .eps = 1e-5f,
                                 .dtype = GetParam()},
                                nullptr),
                cudaSuccess);

      ExpectClose(Fetch(out, input.shape(), GetParam()), expected,
                  Tolerance(GetParam()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryType, LayerNormTest,
                         testing::Values(DType::kF32, DType::kF16,
                                         DType::kBF16),
                         NameOf);

}  // namespace
}  // namespace tessera::kernels::cuda
