#include "kernels/ops/elementwise.h"

#include <cmath>
#include <limits>

#include "kernels/cuda/activate.h"
#include "kernels/cuda/add.h"
#include "kernels/cuda/cast.h"
#include "kernels/cuda/epilogue.h"
#include "kernels/cuda/geglu.h"
#include "kernels/cuda/image_bytes.h"
#include "kernels/cuda/quantize.h"
#include "kernels/e4m3.h"
#include "kernels/ops/geglu.h"
#include "kernels/ops/image_bytes.h"
#include "tests/gpu/kernel_test.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels::cuda {
namespace {

// One rounding, and the error of __expf in f32.
double Tolerance(DType dtype) { return 1.01 * Rounding(dtype) + 4e-6; }

// Counts with and without a tail, and more than one block.
constexpr int64_t kCounts[] = {1, 7, 8, 255, 2048, 10007};

class ElementwiseTest : public KernelTest {};

TEST_P(ElementwiseTest, AddMatchesTheCpu) {
  for (const int64_t count : kCounts) {
    const Tensor a = Rounded(Random({count}, 1), GetParam());
    const Tensor b = Rounded(Random({count}, 2), GetParam());
    Tensor expected({count}, DType::kF32);
    OnCpu([&](Stream& stream) {
      kernels::Add(stream,
                   {.a = a.view(), .b = b.view(), .out = expected.view()});
    });
    const DeviceBuffer x = Upload(a, GetParam()), y = Upload(b, GetParam());

    // In place, as residuals are added.
    ASSERT_EQ(LaunchAdd({.a = x.data(),
                         .b = y.data(),
                         .out = x.data(),
                         .elements = count,
                         .dtype = GetParam()},
                        nullptr),
              cudaSuccess);

    ExpectClose(Fetch(x, {count}, GetParam()), expected, Rounding(GetParam()));
  }
}

TEST_P(ElementwiseTest, UnalignedOperandsAddLikeAlignedOnes) {
  constexpr int64_t kCount = 100;
  const Tensor a = Rounded(Random({kCount}, 1), GetParam());
  const DeviceBuffer x = Upload(a, GetParam()), out(x.bytes());
  const int64_t step = SizeOf(GetParam());

  ASSERT_EQ(LaunchAdd({.a = static_cast<const char*>(x.data()) + step,
                       .b = static_cast<const char*>(x.data()) + step,
                       .out = static_cast<char*>(out.data()) + step,
                       .elements = kCount - 1,
                       .dtype = GetParam()},
                      nullptr),
            cudaSuccess);

  const Tensor sums = Fetch(out, {kCount}, GetParam());
  for (int64_t i = 1; i < kCount; ++i) {
    EXPECT_EQ(sums.f32()[i], 2 * a.f32()[i]);
  }
}

TEST_P(ElementwiseTest, ActivationsMatchTheCpu) {
  for (const Activation activation :
       {Activation::kNone, Activation::kSilu, Activation::kQuickGelu,
        Activation::kGelu}) {
    Tensor input = Random({2053}, 1);
    // Reaches the flat ends, where exp overflows.
    for (int64_t i = 0; i < 2053; i += 2) input.f32()[i] *= 40;
    input = Rounded(input, GetParam());
    Tensor expected({2053}, DType::kF32);
    OnCpu([&](Stream& stream) {
      kernels::Activate(stream, {.input = input.view(),
                                 .activation = activation,
                                 .out = expected.view()});
    });
    const DeviceBuffer x = Upload(input, GetParam()), out(x.bytes());

    ASSERT_EQ(LaunchActivate({.input = x.data(),
                              .activation = activation,
                              .out = out.data(),
                              .elements = 2053,
                              .dtype = GetParam()},
                             nullptr),
              cudaSuccess);

    ExpectClose(Fetch(out, {2053}, GetParam()), expected,
                Tolerance(GetParam()));
  }
}

TEST_P(ElementwiseTest, GegluMatchesTheCpu) {
  for (const int64_t channels : {1, 8, 20, 1280}) {
    const Tensor input = Rounded(Random({5, 2 * channels}, 1), GetParam());
    Tensor expected({5, channels}, DType::kF32);
    OnCpu([&](Stream& stream) {
      kernels::Geglu(stream, {.input = input.view(), .out = expected.view()});
    });
    const DeviceBuffer x = Upload(input, GetParam()), out(x.bytes() / 2);

    ASSERT_EQ(LaunchGeglu({.input = x.data(),
                           .out = out.data(),
                           .rows = 5,
                           .channels = channels,
                           .dtype = GetParam()},
                          nullptr),
              cudaSuccess);

    ExpectClose(Fetch(out, {5, channels}, GetParam()), expected,
                Tolerance(GetParam()));
  }
}

// out = silu(x + bias + channel_add[picture]) + residual, in f32.
TEST_P(ElementwiseTest, EpilogueAddsInTheStatedOrder) {
  for (const int64_t columns : {3, 8, 320}) {
    constexpr int64_t kRows = 6, kPictureRows = 3;
    const Tensor x = Rounded(Random({kRows, columns}, 1), GetParam());
    const Tensor bias = Rounded(Random({columns}, 2), GetParam());
    const Tensor add = Rounded(Random({2, columns}, 3), GetParam());
    const Tensor residual = Rounded(Random({kRows, columns}, 4), GetParam());
    Tensor expected({kRows, columns}, DType::kF32);
    for (int64_t i = 0; i < kRows * columns; ++i) {
      const int64_t row = i / columns, column = i % columns;
      const double sum = static_cast<double>(x.f32()[i]) + bias.f32()[column] +
                         add.f32()[row / kPictureRows * columns + column];
      expected.f32()[i] =
          static_cast<float>(sum / (1 + std::exp(-sum)) + residual.f32()[i]);
    }
    const DeviceBuffer input = Upload(x, GetParam());
    const DeviceBuffer b = Upload(bias, GetParam());
    const DeviceBuffer a = Upload(add, GetParam());
    const DeviceBuffer r = Upload(residual, GetParam());

    ASSERT_EQ(LaunchEpilogue({.input = input.data(),
                              .bias = b.data(),
                              .channel_add = a.data(),
                              .residual = r.data(),
                              .out = r.data(),
                              .rows = kRows,
                              .columns = columns,
                              .picture_rows = kPictureRows,
                              .activation = Activation::kSilu,
                              .dtype = GetParam()},
                             nullptr),
              cudaSuccess);

    ExpectClose(Fetch(r, {kRows, columns}, GetParam()), expected,
                Tolerance(GetParam()));
  }
}

TEST_P(ElementwiseTest, CastsThereAndBackAreExact) {
  const Tensor values = Rounded(Random({1001}, 1), GetParam());
  const DeviceBuffer wide = Upload(values, DType::kF32);
  const DeviceBuffer narrow(1001 * SizeOf(GetParam())), back(wide.bytes());

  ASSERT_EQ(
      LaunchCast({wide.data(), DType::kF32, narrow.data(), GetParam(), 1001},
                 nullptr),
      cudaSuccess);
  ASSERT_EQ(
      LaunchCast({narrow.data(), GetParam(), back.data(), DType::kF32, 1001},
                 nullptr),
      cudaSuccess);

  ExpectSameBits(Fetch(narrow, {1001}, GetParam()).view(), values.view());
  ExpectSameBits(Fetch(back, {1001}, DType::kF32).view(), values.view());
}

// Rows of a wider matrix, with numbers beyond the largest and none.
TEST_P(ElementwiseTest, QuantizeRoundsAsTheFormatDoes) {
  for (const int64_t columns : {3, 16, 320}) {
    const int64_t pitch = 2 * columns;
    constexpr int64_t kRows = 5;
    Tensor wide = Random({kRows, pitch}, 1);
    wide.f32()[0] = 2000;
    wide.f32()[pitch] = -3000;
    wide.f32()[pitch + 1] = std::numeric_limits<float>::quiet_NaN();
    const Tensor input = Rounded(wide, GetParam());
    const DeviceBuffer x = Upload(wide, GetParam());
    const DeviceBuffer out(kRows * columns), scales(kRows * 4);

    ASSERT_EQ(LaunchQuantize({.input = x.data(),
                              .pitch = pitch,
                              .out = static_cast<uint8_t*>(out.data()),
                              .row_scales = static_cast<float*>(scales.data()),
                              .rows = kRows,
                              .columns = columns,
                              .inverse_scale = 0.7f,
                              .dtype = GetParam()},
                             nullptr),
              cudaSuccess);

    std::vector<uint8_t> got(kRows * columns);
    out.Download(got.data());
    const Tensor ones = Fetch(scales, {kRows}, DType::kF32);
    for (int64_t row = 0; row < kRows; ++row) {
      EXPECT_EQ(ones.f32()[row], 1);
      for (int64_t i = 0; i < columns; ++i) {
        EXPECT_EQ(got[row * columns + i],
                  FloatToE4M3(input.f32()[row * pitch + i] * 0.7f))
            << row << " " << i;
      }
    }
  }
}

TEST_P(ElementwiseTest, ImageBytesAreTheCpus) {
  Tensor input = Random({1005}, 1);
  input.f32()[0] = std::numeric_limits<float>::quiet_NaN();
  input.f32()[1] = std::numeric_limits<float>::infinity();
  input.f32()[2] = -std::numeric_limits<float>::infinity();
  const Tensor finite = Rounded(input, GetParam());
  Tensor expected({1005}, DType::kU8);
  OnCpu([&](Stream& stream) {
    kernels::ImageBytes(stream,
                        {.input = finite.view(), .out = expected.view()});
  });
  const DeviceBuffer x = Upload(input, GetParam()), out(1005);

  ASSERT_EQ(LaunchImageBytes({.input = x.data(),
                              .input_dtype = GetParam(),
                              .out = static_cast<uint8_t*>(out.data()),
                              .elements = 1005},
                             nullptr),
            cudaSuccess);

  Tensor bytes({1005}, DType::kU8);
  out.Download(bytes.view().data);
  ExpectSameBits(bytes.view(), expected.view());
}

INSTANTIATE_TEST_SUITE_P(EveryType, ElementwiseTest,
                         testing::Values(DType::kF32, DType::kF16,
                                         DType::kBF16),
                         NameOf);

}  // namespace
}  // namespace tessera::kernels::cuda
