#include "kernels/ops/lora_gemm.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/kernels/op_test.h"
#include "tests/kernels/reference.h"

namespace tessera::kernels {
namespace {

// Two chains of f32 in a row.
constexpr double kTolerance = 4e-6;

constexpr int64_t kRows = 70;
constexpr int64_t kInputs = 37;
constexpr int64_t kOutputs = 50;

class LoraGemmTest : public testing::Test {
 protected:
  // Adds what `segment` should add, with its unpacked matrices.
  void AddExpected(reference::Values& expected, const LoraSegment& segment,
                   const Tensor& down, const Tensor& up) const {
    const int64_t rank = up.shape()[1];
    const reference::Values hidden = reference::MatMul(
        reference::Read(x_.view()), reference::Read(down.view()), {}, kRows,
        rank, kInputs);
    const reference::Values delta = reference::MatMul(
        hidden, reference::Read(up.view()), {}, kRows, kOutputs, rank);
    for (int64_t i = segment.row_begin * kOutputs;
         i < segment.row_end * kOutputs; ++i) {
      expected[i] += segment.scale * delta[i];
    }
  }

  const Tensor x_ = Random({kRows, kInputs}, 1);
  const Tensor y_ = Random({kRows, kOutputs}, 2);
  const Tensor down4_ = Random({4, kInputs}, 3);
  const Tensor up4_ = Random({kOutputs, 4}, 4);
  const Tensor down19_ = Random({19, kInputs}, 5);
  const Tensor up19_ = Random({kOutputs, 19}, 6);
  const PackedWeights packed_down4_ = Pack(down4_);
  const PackedWeights packed_up4_ = Pack(up4_);
  const PackedWeights packed_down19_ = Pack(down19_);
  const PackedWeights packed_up19_ = Pack(up19_);
};

TEST_F(LoraGemmTest, OverlappingSegmentsAddUp) {
  const std::vector<LoraSegment> segments = {
      {0, 60, &packed_down4_, &packed_up4_, 0.5f},
      {50, 67, &packed_down19_, &packed_up19_, -1.25f}};
  reference::Values expected = reference::Read(y_.view());
  AddExpected(expected, segments[0], down4_, up4_);
  AddExpected(expected, segments[1], down19_, up19_);

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result = y_.Clone();
    LoraGemm(stream,
             {.x = x_.view(), .segments = segments, .out = result.view()});
    return result;
  });

  ExpectNear(out, expected, kTolerance);
  ExpectSameBits(out.view().Slice(67, kRows), y_.view().Slice(67, kRows));
}

TEST_F(LoraGemmTest, RowAloneHasTheBitsOfRowAmongOthers) {
  const std::vector<LoraSegment> all = {
      {0, kRows, &packed_down19_, &packed_up19_, 0.7f}};
  const std::vector<LoraSegment> one = {
      {0, 1, &packed_down19_, &packed_up19_, 0.7f}};

  OnEveryMachine([&](Stream& stream) {
    Tensor together = y_.Clone(), alone = y_.Clone();
    LoraGemm(stream, {.x = x_.view(), .segments = all, .out = together.view()});
    for (int64_t row = 0; row < kRows; ++row) {
      LoraGemm(stream, {.x = x_.view().Slice(row, row + 1),
                        .segments = one,
                        .out = alone.view().Slice(row, row + 1)});
    }
    ExpectSameBits(alone.view(), together.view());
    return together;
  });
}

TEST_F(LoraGemmTest, ScatteredSegmentsKeepTheirOrderInOnePass) {
  constexpr int64_t kManyRows = 1000;
  const Tensor x = Random({kManyRows, kInputs}, 7);
  const Tensor y = Random({kManyRows, kOutputs}, 8);
  // Gaps of whole blocks, touching ends, one row, and two on the same rows.
  const std::vector<LoraSegment> segments = {
      {3, 4, &packed_down4_, &packed_up4_, 1.0f},
      {4, 130, &packed_down19_, &packed_up19_, 0.3f},
      {500, 700, &packed_down4_, &packed_up4_, -2.0f},
      {690, 999, &packed_down19_, &packed_up19_, 0.9f},
      {690, 999, &packed_down19_, &packed_up19_, 0.0f}};

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result = y.Clone();
    LoraGemm(stream,
             {.x = x.view(), .segments = segments, .out = result.view()});
    return result;
  });

  const auto device = CreateCpuDevice(1).value();
  Stream stream(*device);
  Tensor one_by_one = y.Clone();
  for (const LoraSegment& segment : segments) {
    LoraGemm(
        stream,
        {.x = x.view(), .segments = {&segment, 1}, .out = one_by_one.view()});
  }
  ASSERT_TRUE(stream.Synchronize().ok());
  ExpectSameBits(out.view(), one_by_one.view());
  ExpectSameBits(out.view().Slice(130, 500), y.view().Slice(130, 500));
  ExpectSameBits(out.view().Slice(999, 1000), y.view().Slice(999, 1000));
}

TEST_F(LoraGemmTest, UpdatesColumnsOfWiderRowsOnly) {
  const std::vector<LoraSegment> segments = {
      {0, kRows, &packed_down4_, &packed_up4_, 1}};
  const Tensor wide = Random({kRows, kOutputs + 9}, 7);
  reference::Values expected = reference::Read(wide.view());
  reference::Values delta(static_cast<size_t>(kRows * kOutputs));
  AddExpected(delta, segments[0], down4_, up4_);
  for (int64_t i = 0; i < kRows * kOutputs; ++i) {
    expected[i / kOutputs * (kOutputs + 9) + 6 + i % kOutputs] += delta[i];
  }

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result = wide.Clone();
    LoraGemm(stream, {.x = x_.view(),
                      .segments = segments,
                      .out = result.view(),
                      .out_column = 6});
    return result;
  });

  ExpectNear(out, expected, kTolerance);
}

TEST_F(LoraGemmTest, WithoutDownTakesTheHiddenRows) {
  const Tensor hidden = Random({kRows, 4}, 8);
  const std::vector<LoraSegment> segments = {{3, 40, nullptr, &packed_up4_, 2}};
  reference::Values expected = reference::Read(y_.view());
  const reference::Values delta =
      reference::MatMul(reference::Read(hidden.view()),
                        reference::Read(up4_.view()), {}, kRows, kOutputs, 4);
  for (int64_t i = 3 * kOutputs; i < 40 * kOutputs; ++i) {
    expected[i] += 2 * delta[i];
  }

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result = y_.Clone();
    LoraGemm(stream,
             {.x = hidden.view(), .segments = segments, .out = result.view()});
    return result;
  });

  ExpectNear(out, expected, kTolerance);
}

TEST_F(LoraGemmTest, RefusesRowsBeyondTheEnd) {
  const std::vector<LoraSegment> segments = {
      {60, kRows + 1, &packed_down4_, &packed_up4_, 1}};
  Tensor out = y_.Clone();

  ExpectRefused(
      [&](Stream& stream) {
        LoraGemm(stream,
                 {.x = x_.view(), .segments = segments, .out = out.view()});
      },
      "lora_gemm");
}

}  // namespace
}  // namespace tessera::kernels
