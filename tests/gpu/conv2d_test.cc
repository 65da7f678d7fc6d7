#include "kernels/cuda/conv2d.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/ops/conv2d.h"
#include "tests/gpu/kernel_test.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels::cuda {
namespace {

// One rounding of the product and one of the result.
double Tolerance(DType dtype) { return 3 * Rounding(dtype); }

struct Case {
  int64_t n, size, cin, cout, kernel, stride = 1;
  bool bias = true, channel_add = false, residual = false;
};

// Layers of the models: in, resnet's two, shortcut, downsample, out.
const std::vector<Case> kCases = {
    {2, 16, 4, 320, 3},
    {2, 16, 320, 320, 3, 1, true, true},
    {3, 8, 1280, 1280, 3, 1, true, false, true},
    {1, 16, 960, 640, 1},
    {2, 16, 320, 320, 3, 2},
    {2, 16, 320, 4, 3},
    {1, 13, 64, 72, 3, 1, false},
};

// Returns weights [cout, cin, kh, kw] as [cout, kh, kw, cin].
Tensor ChannelsLast(const Tensor& weights) {
  const Shape& s = weights.shape();
  Tensor moved({s[0], s[2], s[3], s[1]}, DType::kF32);
  int64_t to = 0;
  for (int64_t o = 0; o < s[0]; ++o) {
    for (int64_t tap = 0; tap < s[2] * s[3]; ++tap) {
      for (int64_t i = 0; i < s[1]; ++i) {
        moved.f32()[to++] = weights.f32()[(o * s[1] + i) * s[2] * s[3] + tap];
      }
    }
  }
  return moved;
}

// A layer's operands on the host and on the device.
struct Layer {
  Layer(const Case& c, DType type)
      : dtype(type),
        input(Rounded(Random({c.n, c.size, c.size, c.cin}, 1), type)),
        weights(Rounded(Random({c.cout, c.cin, c.kernel, c.kernel}, 2), type)),
        bias(Rounded(Random({c.cout}, 3), type)),
        channel_add(Rounded(Random({c.n, c.cout}, 4), type)),
        key({.height = c.size,
             .width = c.size,
             .input_channels = c.cin,
             .output_channels = c.cout,
             .kernel_height = c.kernel,
             .kernel_width = c.kernel,
             .stride = c.stride,
             .top = c.kernel / 2,
             .left = c.kernel / 2,
             .bottom = c.kernel / 2,
             .right = c.kernel / 2,
             .dtype = type}),
        shape({c.n, key.out_height(), key.out_width(), c.cout}),
        residual(Rounded(Random(shape, 5), type)),
        input_on_device(Upload(input, type)),
        weights_on_device(Upload(ChannelsLast(weights), type)),
        bias_on_device(Upload(bias, type)),
        add_on_device(Upload(channel_add, type)),
        residual_on_device(Upload(residual, type)),
        workspace(kConv2dWorkspaceBytes) {}

  // Returns the parameters for pictures [first, first + n).
  Conv2dParams Params(const Case& c, int64_t first, int64_t n,
                      void* out) const {
    const auto at = [&](const DeviceBuffer& buffer) {
      return static_cast<const char*>(buffer.data()) +
             first * buffer.bytes() / c.n;
    };
    return {.input = at(input_on_device),
            .weights = weights_on_device.data(),
            .bias = c.bias ? bias_on_device.data() : nullptr,
            .channel_add = c.channel_add ? at(add_on_device) : nullptr,
            .residual = c.residual ? at(residual_on_device) : nullptr,
            .out = out,
            .n = n,
            .layer = key,
            .workspace = workspace.data()};
  }

  int64_t bytes() const { return shape.elements() * SizeOf(dtype); }

  DType dtype;
  Tensor input, weights, bias, channel_add;
  Conv2dKey key;
  Shape shape;
  Tensor residual;
  DeviceBuffer input_on_device, weights_on_device, bias_on_device,
      add_on_device, residual_on_device, workspace;
};

// What the CPU computes from the same rounded operands.
Tensor Expected(const Case& c, const Layer& layer) {
  const std::unique_ptr<Device> cpu = CreateCpuDevice(1).value();
  const PackedWeights packed =
      PackConvWeights(*cpu, layer.weights.view()).value();
  Tensor out(layer.shape, DType::kF32);
  Conv2dArgs args = {.input = layer.input.view(),
                     .weights = packed,
                     .stride = c.stride,
                     .padding = Padding::All(c.kernel / 2),
                     .out = out.view()};
  if (c.bias) args.bias = layer.bias.view();
  if (c.channel_add) args.channel_add = layer.channel_add.view();
  if (c.residual) args.residual = layer.residual.view();
  OnCpu([&](Stream& stream) { kernels::Conv2d(stream, args); });
  return out;
}

class Conv2dTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    absl::StatusOr<std::unique_ptr<Convolutions>> convolutions =
        Convolutions::Create();
    if (absl::IsFailedPrecondition(convolutions.status())) {
      GTEST_SKIP() << convolutions.status();
    }
    ASSERT_TRUE(convolutions.ok()) << convolutions.status();
    convolutions_ = *std::move(convolutions);
  }

  // Returns the bytes of the result for pictures [first, first + n).
  std::vector<uint8_t> Run(const Case& c, const Layer& layer, int64_t first,
                           int64_t n) {
    return BytesOf(layer.bytes() / c.n * n, [&](void* out) {
      const absl::Status status =
          convolutions_->Run(layer.Params(c, first, n, out), nullptr);
      EXPECT_TRUE(status.ok()) << status;
      return cudaSuccess;
    });
  }

  std::unique_ptr<Convolutions> convolutions_;
};

TEST_P(Conv2dTest, MatchesTheCpuOnEveryLayer) {
  for (const Case& c : kCases) {
    const Layer layer(c, GetParam());
    SCOPED_TRACE(layer.key.ToString());
    const DeviceBuffer out(layer.bytes());

    const absl::Status status =
        convolutions_->Run(layer.Params(c, 0, c.n, out.data()), nullptr);

    ASSERT_TRUE(status.ok()) << status;
    ExpectClose(Fetch(out, layer.shape, GetParam()), Expected(c, layer),
                Tolerance(GetParam()));
  }
}

TEST_P(Conv2dTest, PictureAloneHasTheBitsOfPictureAmongOthers) {
  for (Case c : kCases) {
    c.n = 8;
    const Layer layer(c, GetParam());
    SCOPED_TRACE(layer.key.ToString());
    const std::vector<uint8_t> all = Run(c, layer, 0, c.n);

    for (const auto& [first, n] : std::vector<std::pair<int64_t, int64_t>>{
             {0, 1}, {5, 1}, {2, 2}, {1, 5}}) {
      const std::vector<uint8_t> some = Run(c, layer, first, n);
      const auto at = all.begin() + layer.bytes() / c.n * first;
      EXPECT_TRUE(std::equal(some.begin(), some.end(), at))
          << first << " " << n;
    }
  }
}

TEST_P(Conv2dTest, RepeatsItsBits) {
  for (const Case& c : kCases) {
    const Layer layer(c, GetParam());
    const std::vector<uint8_t> first = Run(c, layer, 0, c.n);

    for (int i = 0; i < 49; ++i) ASSERT_EQ(Run(c, layer, 0, c.n), first) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryType, Conv2dTest, kElementTypes, NameOf);

TEST(ConvolutionsTest, WithoutADeviceCreationFailsWithAReason) {
  if (WhyNoDevice().empty()) GTEST_SKIP() << "this machine has a device";

  const absl::Status status = Convolutions::Create().status();

  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(status.message().empty());
}

}  // namespace
}  // namespace tessera::kernels::cuda
