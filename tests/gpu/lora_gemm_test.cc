#include "kernels/cuda/lora_gemm.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/ops/lora_gemm.h"
#include "tests/gpu/kernel_test.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels::cuda {
namespace {

// One rounding of x A' and one of the result.
double Tolerance(DType dtype) { return 2.5 * Rounding(dtype); }

// An adapter on some rows.
struct Segment {
  int64_t begin, end, lora_rank;
  float scale = 0.7f;
  bool down = true;
};

// A layer with adapters.
struct Case {
  int64_t rows, k, n;
  std::vector<Segment> segments;
  int64_t x_column = 0, x_extra = 0;  // columns before and after the k read
  int64_t out_column = 0, out_extra = 0;
};

// Ranks that fill no chunk, one chunk, several stages; segments inside a tile,
// across tiles, overlapping, with gaps; odd extents and column slices.
const std::vector<Case> kCases = {
    {64, 64, 64, {{0, 64, 16}}},
    {130, 320, 320, {{0, 64, 16}, {70, 129, 4}}},
    {77, 768, 72, {{3, 70, 64}, {10, 77, 32}}, 0, 8, 8, 8},
    {200, 40, 130, {{0, 200, 8, 1.5f}, {50, 150, 128, -0.25f}}},
    {33, 13, 7, {{1, 32, 3}}, 1, 2, 3, 1},
    {70, 24, 66, {{0, 70, 80}, {5, 6, 1}, {5, 6, 2}}},
    {66, 16, 40, {{0, 66, 16, 0.5f, false}}},
    {65, 100, 64, {{0, 65, 16, 0.0f}, {64, 65, 16}}},
};

// The operands of a case on the host and on the device.
struct Layer {
  Layer(const Case& c, DType dtype)
      : x(Rounded(Random({c.rows, c.x_column + c.k + c.x_extra}, 1), dtype)),
        out(Rounded(Random({c.rows, c.out_column + c.n + c.out_extra}, 2),
                    dtype)),
        x_on_device(Upload(x, dtype)) {
    uint32_t seed = 3;
    for (const Segment& s : c.segments) {
      down.push_back(Rounded(Random({s.lora_rank, c.k}, seed++), dtype));
      up.push_back(Rounded(Random({c.n, s.lora_rank}, seed++), dtype));
      down_on_device.push_back(std::unique_ptr<DeviceBuffer>(
          new DeviceBuffer(Upload(down.back(), dtype))));
      up_on_device.push_back(std::unique_ptr<DeviceBuffer>(
          new DeviceBuffer(Upload(up.back(), dtype))));
      segments.push_back(
          {.row_begin = s.begin,
           .row_end = s.end,
           .down = s.down ? down_on_device.back()->data() : nullptr,
           .up = up_on_device.back()->data(),
           .lora_rank = s.lora_rank,
           .scale = s.scale});
    }
  }

  Tensor x, out;
  DeviceBuffer x_on_device;
  std::vector<Tensor> down, up;
  std::vector<std::unique_ptr<DeviceBuffer>> down_on_device, up_on_device;
  std::vector<LoraSegment> segments;
};

// Applies the adapters to a copy of the layer's output.
Tensor Compute(const Case& c, const Layer& layer, DType dtype,
               std::vector<LoraSegment> segments) {
  const LoraGemmPlan plan = PlanLoraGemm(segments);
  const DeviceBuffer on_device(
      segments.data(),
      static_cast<int64_t>(segments.size() * sizeof(LoraSegment)));
  const DeviceBuffer workspace(std::max<int64_t>(1, plan.hidden_elements) *
                               SizeOf(dtype));
  const DeviceBuffer out = Upload(layer.out, dtype);
  const bool whole_ranks = std::all_of(
      segments.begin(), segments.end(),
      [](const LoraSegment& s) { return s.lora_rank % kChunkElements == 0; });
  EXPECT_EQ(
      LaunchLoraGemm({.x = layer.x_on_device.data(),
                      .x_width = layer.x.shape()[1],
                      .x_column = c.x_column,
                      .k = c.k,
                      .out = out.data(),
                      .out_width = layer.out.shape()[1],
                      .out_column = c.out_column,
                      .n = c.n,
                      .segments = static_cast<LoraSegment*>(on_device.data()),
                      .segment_count = static_cast<int64_t>(segments.size()),
                      .plan = plan,
                      .down_aligned = c.k % kChunkElements == 0,
                      .up_aligned = whole_ranks,
                      .workspace = workspace.data(),
                      .dtype = dtype},
                     nullptr),
      cudaSuccess);
  return Fetch(out, layer.out.shape(), dtype);
}

// What the CPU computes from the same rounded operands.
Tensor Expected(const Case& c, const Layer& layer) {
  std::vector<PackedWeights> packed;
  packed.reserve(2 * c.segments.size());
  std::vector<kernels::LoraSegment> segments;
  for (size_t i = 0; i < c.segments.size(); ++i) {
    const Segment& s = c.segments[i];
    packed.push_back(Pack(layer.down[i]));
    packed.push_back(Pack(layer.up[i]));
    segments.push_back({.row_begin = s.begin,
                        .row_end = s.end,
                        .down = s.down ? &packed[2 * i] : nullptr,
                        .up = &packed[2 * i + 1],
                        .scale = s.scale});
  }
  Tensor out = layer.out.Clone();
  OnCpu([&](Stream& stream) {
    kernels::LoraGemm(stream, {.x = layer.x.view(),
                               .x_column = c.x_column,
                               .segments = segments,
                               .out = out.view(),
                               .out_column = c.out_column});
  });
  return out;
}

class LoraGemmTest : public KernelTest {};

TEST_P(LoraGemmTest, MatchesTheCpuOnEveryShape) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << c.rows << "x" << c.k << "x" << c.n);
    const Layer layer(c, GetParam());

    const Tensor out = Compute(c, layer, GetParam(), layer.segments);

    ExpectClose(out, Expected(c, layer), Tolerance(GetParam()));
  }
}

TEST_P(LoraGemmTest, RowsOutsideAllSegmentsKeepTheirBits) {
  const Case c = {200, 64, 64, {{10, 20, 16}, {100, 140, 8}}};
  const Layer layer(c, GetParam());

  const Tensor out = Compute(c, layer, GetParam(), layer.segments);

  for (const auto& [begin, end] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 10}, {20, 100}, {140, 200}}) {
    ExpectSameBits(out.view().Slice(begin, end),
                   layer.out.view().Slice(begin, end));
  }
}

// One picture's adapter alone against the same among other pictures', whose
// ranks would choose another tile.
TEST_P(LoraGemmTest, RowsDoNotDependOnOtherSegments) {
  const Case c = {256, 320, 128, {{64, 128, 16}, {0, 64, 64}, {150, 256, 32}}};
  const Layer layer(c, GetParam());

  const Tensor all = Compute(c, layer, GetParam(), layer.segments);
  const Tensor alone = Compute(c, layer, GetParam(), {layer.segments.front()});

  ExpectSameBits(alone.view().Slice(64, 128), all.view().Slice(64, 128));
}

// A row in the middle of a long segment against the same row as its own.
TEST_P(LoraGemmTest, RowsDoNotDependOnTheirPlaceInTheSegment) {
  const Case c = {130, 80, 64, {{0, 130, 24}}};
  const Layer layer(c, GetParam());
  std::vector<LoraSegment> one = layer.segments;
  one.front().row_begin = 77;
  one.front().row_end = 78;

  const Tensor all = Compute(c, layer, GetParam(), layer.segments);
  const Tensor alone = Compute(c, layer, GetParam(), one);

  ExpectSameBits(alone.view().Slice(77, 78), all.view().Slice(77, 78));
}

TEST_P(LoraGemmTest, RepeatsItsBits) {
  const Case& c = kCases[3];
  const Layer layer(c, GetParam());
  const Tensor first = Compute(c, layer, GetParam(), layer.segments);

  for (int i = 0; i < (IsEmulation() ? 1 : 49); ++i) {
    const Tensor again = Compute(c, layer, GetParam(), layer.segments);
    ASSERT_NO_FATAL_FAILURE(ExpectSameBits(again.view(), first.view()));
  }
}

INSTANTIATE_TEST_SUITE_P(EveryType, LoraGemmTest, kElementTypes, NameOf);

}  // namespace
}  // namespace tessera::kernels::cuda
