#include "kernels/cuda/gemm.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/ops/gemm.h"
#include "tests/gpu/kernel_test.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels::cuda {
namespace {

// One rounding of the result, one of the bias, one of the product before an
// activation.
double Tolerance(DType dtype) { return 3 * Rounding(dtype); }

struct Case {
  int64_t m, n, k;
  Activation activation = Activation::kNone;
  bool bias = true;
  bool residual = false;
};

// Layers of the models, and extents that no tile divides.
const std::vector<Case> kCases = {
    {2, 1280, 320, Activation::kSilu},
    {77, 768, 768, Activation::kNone, true, true},
    {77, 3072, 768, Activation::kQuickGelu},
    {154, 5120, 1280, Activation::kGelu, true, true},
    {4096, 960, 320, Activation::kNone, false},
    {1031, 320, 1280, Activation::kNone, true, true},
    {63, 72, 40},
    {5, 7, 13},
};

class GemmTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    absl::StatusOr<std::unique_ptr<Gemms>> gemms =
        Gemms::Create(GemmChoice::kFirst, "");
    if (absl::IsFailedPrecondition(gemms.status())) {
      GTEST_SKIP() << gemms.status();
    }
    ASSERT_TRUE(gemms.ok()) << gemms.status();
    gemms_ = *std::move(gemms);
  }

  std::unique_ptr<Gemms> gemms_;
};

// A layer's operands on the host and on the device.
struct Layer {
  Layer(const Case& c, DType dtype)
      : a(Rounded(Random({c.m, c.k}, 1), dtype)),
        weights(Rounded(Random({c.n, c.k}, 2), dtype)),
        bias(Rounded(Random({c.n}, 3), dtype)),
        residual(Rounded(Random({c.m, c.n}, 4), dtype)),
        a_on_device(Upload(a, dtype)),
        weights_on_device(Upload(weights, dtype)),
        bias_on_device(Upload(bias, dtype)),
        residual_on_device(Upload(residual, dtype)),
        workspace(kGemmWorkspaceBytes),
        params({.a = a_on_device.data(),
                .a_pitch = c.k,
                .weights = weights_on_device.data(),
                .bias = c.bias ? bias_on_device.data() : nullptr,
                .activation = c.activation,
                .residual = c.residual ? residual_on_device.data() : nullptr,
                .m = c.m,
                .n = c.n,
                .k = c.k,
                .dtype = dtype,
                .workspace = workspace.data()}) {}

  Tensor a, weights, bias, residual;
  DeviceBuffer a_on_device, weights_on_device, bias_on_device,
      residual_on_device, workspace;
  GemmParams params;
};

// What the CPU computes from the same rounded operands.
Tensor Expected(const Case& c, const Layer& layer) {
  const PackedWeights packed = Pack(layer.weights);
  Tensor out({c.m, c.n}, DType::kF32);
  GemmArgs args = {.a = layer.a.view(),
                   .weights = packed,
                   .activation = c.activation,
                   .out = out.view()};
  if (c.bias) args.bias = layer.bias.view();
  if (c.residual) args.residual = layer.residual.view();
  OnCpu([&](Stream& stream) { kernels::Gemm(stream, args); });
  return out;
}

TEST_P(GemmTest, MatchesTheCpuOnEveryShapeAndEpilogue) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << c.m << "x" << c.n << "x" << c.k);
    Layer layer(c, GetParam());
    const DeviceBuffer out(c.m * c.n * SizeOf(GetParam()));
    layer.params.out = out.data();

    const absl::Status status = gemms_->Run(layer.params, nullptr);

    ASSERT_TRUE(status.ok()) << status;
    ExpectClose(Fetch(out, {c.m, c.n}, GetParam()), Expected(c, layer),
                Tolerance(GetParam()));
  }
}

// One algorithm serves all batches, so the first rows of many have the bits
// they have alone.
TEST_P(GemmTest, RowsAloneHaveTheBitsOfRowsAmongOthers) {
  const Case c = {4096, 640, 320, Activation::kNone, true, true};
  Layer layer(c, GetParam());
  const int64_t row_bytes = c.n * SizeOf(GetParam());
  const auto run = [&](int64_t m) {
    return BytesOf(m * row_bytes, [&](void* out) {
      GemmParams params = layer.params;
      params.m = m;
      params.out = out;
      const absl::Status status = gemms_->Run(params, nullptr);
      EXPECT_TRUE(status.ok()) << status;
      return cudaSuccess;
    });
  };
  const std::vector<uint8_t> all = run(c.m);

  for (const int64_t m : {1, 2, 64, 77, 1000, 2048}) {
    const std::vector<uint8_t> some = run(m);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << m;
  }
}

TEST_P(GemmTest, RepeatsItsBits) {
  const Case c = {1031, 320, 1280, Activation::kNone, true, true};
  Layer layer(c, GetParam());

  ExpectRepeatable(c.m * c.n * SizeOf(GetParam()), [&](void* out) {
    GemmParams params = layer.params;
    params.out = out;
    EXPECT_TRUE(gemms_->Run(params, nullptr).ok());
    return cudaSuccess;
  });
}

TEST_P(GemmTest, TimedPlansSurviveAFile) {
  const absl::StatusOr<std::unique_ptr<Gemms>> timed =
      Gemms::Create(GemmChoice::kTimed, "");
  ASSERT_TRUE(timed.ok()) << timed.status();
  Layer layer({512, 320, 320}, GetParam());
  const absl::Status prepared = (*timed)->Prepare(layer.params);
  ASSERT_TRUE(prepared.ok()) << prepared;

  const absl::StatusOr<std::unique_ptr<Gemms>> again =
      Gemms::Create(GemmChoice::kTimed, (*timed)->FormatPlans());

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->FormatPlans(), (*timed)->FormatPlans());
  EXPECT_FALSE((*again)->FormatPlans().empty());
}

INSTANTIATE_TEST_SUITE_P(EveryType, GemmTest, kElementTypes, NameOf);

TEST(GemmsTest, WithoutADeviceCreationFailsWithAReason) {
  if (WhyNoDevice().empty()) GTEST_SKIP() << "this machine has a device";

  const absl::Status status = Gemms::Create(GemmChoice::kFirst, "").status();

  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(status.message().empty());
}

}  // namespace
}  // namespace tessera::kernels::cuda
