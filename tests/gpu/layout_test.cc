// Ops that move or combine whole rows: their results are the CPU's bits.
#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "kernels/cuda/concat_channels.h"
#include "kernels/cuda/resize_nearest.h"
#include "kernels/cuda/sampler_step.h"
#include "kernels/cuda/scale_rows.h"
#include "kernels/cuda/timestep_embedding.h"
#include "kernels/cuda/token_embedding.h"
#include "kernels/ops/concat.h"
#include "kernels/ops/embedding.h"
#include "kernels/ops/resample.h"
#include "kernels/ops/sampler_step.h"
#include "kernels/ops/scale_rows.h"
#include "tests/gpu/kernel_test.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels::cuda {
namespace {

// Copies a host array of rows to the device.
template <typename Row>
DeviceBuffer UploadRows(const std::vector<Row>& rows) {
  return DeviceBuffer(rows.data(),
                      static_cast<int64_t>(rows.size() * sizeof(Row)));
}

class LayoutTest : public KernelTest {};

TEST_P(LayoutTest, ConcatenationHasTheCpusBits) {
  for (const auto& [ca, cb] : std::vector<std::pair<int64_t, int64_t>>{
           {8, 16}, {320, 640}, {3, 5}, {8, 4}, {1280, 8}}) {
    const Tensor a = Rounded(Random({2, 3, 5, ca}, 1), GetParam());
    const Tensor b = Rounded(Random({2, 3, 5, cb}, 2), GetParam());
    Tensor expected({2, 3, 5, ca + cb}, DType::kF32);
    OnCpu([&](Stream& stream) {
      kernels::ConcatChannels(
          stream, {.a = a.view(), .b = b.view(), .out = expected.view()});
    });
    const DeviceBuffer x = Upload(a, GetParam()), y = Upload(b, GetParam());
    const DeviceBuffer out(x.bytes() + y.bytes());

    ASSERT_EQ(LaunchConcatChannels({.a = x.data(),
                                    .b = y.data(),
                                    .out = out.data(),
                                    .rows = 30,
                                    .a_channels = ca,
                                    .b_channels = cb,
                                    .dtype = GetParam()},
                                   nullptr),
              cudaSuccess);

    ExpectSameBits(Fetch(out, expected.shape(), GetParam()).view(),
                   expected.view());
  }
}

TEST_P(LayoutTest, ResizeHasTheCpusBits) {
  struct Case {
    int64_t n, h, w, c, out_h, out_w;
  };
  for (const Case& c : {Case{2, 4, 6, 8, 8, 12}, Case{1, 5, 3, 7, 9, 10},
                        Case{1, 7, 9, 16, 3, 4}, Case{2, 1, 1, 320, 2, 2}}) {
    const Tensor input = Rounded(Random({c.n, c.h, c.w, c.c}, 1), GetParam());
    Tensor expected({c.n, c.out_h, c.out_w, c.c}, DType::kF32);
    OnCpu([&](Stream& stream) {
      kernels::ResizeNearest(stream,
                             {.input = input.view(), .out = expected.view()});
    });
    const DeviceBuffer x = Upload(input, GetParam());
    const DeviceBuffer out(expected.shape().elements() * SizeOf(GetParam()));

    ASSERT_EQ(LaunchResizeNearest({.input = x.data(),
                                   .out = out.data(),
                                   .n = c.n,
                                   .height = c.h,
                                   .width = c.w,
                                   .channels = c.c,
                                   .out_height = c.out_h,
                                   .out_width = c.out_w,
                                   .dtype = GetParam()},
                                  nullptr),
              cudaSuccess);

    ExpectSameBits(Fetch(out, expected.shape(), GetParam()).view(),
                   expected.view());
  }
}

// The model's input is the sampler's f32 state, scaled and rounded once.
TEST_P(LayoutTest, ScaledRowsAreTheCpusRounded) {
  for (const int64_t elements : {5, 8, 4096}) {
    const Tensor x = Random({3, elements}, 1);
    Tensor expected({4, elements}, DType::kF32);
    const std::vector<kernels::ScaledRow> rows = {
        {2, 0.5f}, {0, -1.25f}, {2, 1.0f}, {1, 0.3f}};
    OnCpu([&](Stream& stream) {
      kernels::ScaleRows(stream,
                         {.x = x.view(), .rows = rows, .out = expected.view()});
    });
    std::vector<ScaledRow> device_rows;
    for (const auto& row : rows) device_rows.push_back({row.source, row.scale});
    const DeviceBuffer source = Upload(x, DType::kF32);
    const DeviceBuffer r = UploadRows(device_rows);
    const DeviceBuffer out(4 * elements * SizeOf(GetParam()));

    ASSERT_EQ(LaunchScaleRows({.x = source.data(),
                               .x_dtype = DType::kF32,
                               .rows = static_cast<const ScaledRow*>(r.data()),
                               .out = out.data(),
                               .out_dtype = GetParam(),
                               .out_rows = 4,
                               .row_elements = elements},
                              nullptr),
              cudaSuccess);

    ExpectSameBits(Fetch(out, {4, elements}, GetParam()).view(),
                   Rounded(expected, GetParam()).view());
  }
}

TEST_P(LayoutTest, SamplerStepHasTheCpusBits) {
  for (const int64_t elements : {7, 8, 4096}) {
    for (const bool with_extra : {false, true}) {
      const Tensor x = Random({2, elements}, 1);
      const Tensor model = Rounded(Random({3, elements}, 2), GetParam());
      const Tensor extra = Random({2, elements}, 3);
      const std::vector<kernels::SamplerRow> rows = {
          {.cond = 2,
           .uncond = 0,
           .guidance = 7.5f,
           .x_scale = 0.9f,
           .model_scale = -0.3f,
           .extra_scale = 0.2f},
          {.cond = 1, .x_scale = 1.1f, .model_scale = 0.7f}};
      Tensor expected({2, elements}, DType::kF32);
      OnCpu([&](Stream& stream) {
        kernels::SamplerStepArgs args = {.x = x.view(),
                                         .model_output = model.view(),
                                         .rows = rows,
                                         .out = expected.view()};
        if (with_extra) args.extra = extra.view();
        kernels::SamplerStep(stream, args);
      });
      std::vector<SamplerRow> device_rows;
      for (const auto& row : rows) {
        device_rows.push_back({row.cond, row.uncond, row.guidance, row.x_scale,
                               row.model_scale, row.extra_scale});
      }
      const DeviceBuffer latents = Upload(x, DType::kF32);
      const DeviceBuffer output = Upload(model, GetParam());
      const DeviceBuffer more = Upload(extra, DType::kF32);
      const DeviceBuffer r = UploadRows(device_rows);

      // In place, as samplers step.
      ASSERT_EQ(
          LaunchSamplerStep(
              {.x = static_cast<const float*>(latents.data()),
               .model_output = output.data(),
               .model_dtype = GetParam(),
               .extra = with_extra ? static_cast<const float*>(more.data())
                                   : nullptr,
               .rows = static_cast<const SamplerRow*>(r.data()),
               .out = static_cast<float*>(latents.data()),
               .row_count = 2,
               .row_elements = elements},
              nullptr),
          cudaSuccess);

      ExpectSameBits(Fetch(latents, {2, elements}, DType::kF32).view(),
                     expected.view());
    }
  }
}

TEST_P(LayoutTest, TokenEmbeddingIsTheCpusRounded) {
  for (const int64_t channels : {5, 768}) {
    const Tensor table = Rounded(Random({50, channels}, 1), GetParam());
    const Tensor positions = Rounded(Random({9, channels}, 2), GetParam());
    Tensor ids({2, 7}, DType::kI32);
    for (int i = 0; i < 14; ++i) ids.view().i32()[i] = (i * 17 + 3) % 50;
    Tensor expected({2, 7, channels}, DType::kF32);
    OnCpu([&](Stream& stream) {
      kernels::TokenEmbedding(stream, {.ids = ids.view(),
                                       .table = table.view(),
                                       .positions = positions.view(),
                                       .out = expected.view()});
    });
    const DeviceBuffer i(ids.view().data, ids.bytes());
    const DeviceBuffer t = Upload(table, GetParam());
    const DeviceBuffer p = Upload(positions, GetParam());
    const DeviceBuffer out(14 * channels * SizeOf(GetParam()));

    ASSERT_EQ(
        LaunchTokenEmbedding({.ids = static_cast<const int32_t*>(i.data()),
                              .table = t.data(),
                              .positions = p.data(),
                              .out = out.data(),
                              .n = 2,
                              .tokens = 7,
                              .channels = channels,
                              .vocabulary = 50,
                              .dtype = GetParam()},
                             nullptr),
        cudaSuccess);

    ExpectSameBits(Fetch(out, expected.shape(), GetParam()).view(),
                   Rounded(expected, GetParam()).view());
  }
}

TEST_P(LayoutTest, IdOutsideTheVocabularyShowsAsNaN) {
  const Tensor table = Random({4, 8}, 1), positions = Random({1, 8}, 2);
  const int32_t id = 4;
  const DeviceBuffer i(&id, 4), t = Upload(table, GetParam());
  const DeviceBuffer p = Upload(positions, GetParam());
  const DeviceBuffer out(8 * SizeOf(GetParam()));

  ASSERT_EQ(LaunchTokenEmbedding({.ids = static_cast<const int32_t*>(i.data()),
                                  .table = t.data(),
                                  .positions = p.data(),
                                  .out = out.data(),
                                  .n = 1,
                                  .tokens = 1,
                                  .channels = 8,
                                  .vocabulary = 4,
                                  .dtype = GetParam()},
                                 nullptr),
            cudaSuccess);

  const Tensor row = Fetch(out, {8}, GetParam());
  for (int c = 0; c < 8; ++c) EXPECT_NE(row.f32()[c], row.f32()[c]);
}

TEST_P(LayoutTest, TimestepEmbeddingMatchesTheCpu) {
  const float steps[] = {0, 1, 500.25f, 999};
  for (const bool flip : {false, true}) {
    for (const float shift : {0.0f, 1.0f}) {
      Tensor timesteps({4}, DType::kF32);
      std::copy(std::begin(steps), std::end(steps), timesteps.f32());
      Tensor expected({4, 320}, DType::kF32);
      OnCpu([&](Stream& stream) {
        kernels::TimestepEmbedding(stream, {.timesteps = timesteps.view(),
                                            .flip_sin_to_cos = flip,
                                            .downscale_freq_shift = shift,
                                            .out = expected.view()});
      });
      const DeviceBuffer t = Upload(timesteps, DType::kF32);
      const DeviceBuffer out(4 * 320 * SizeOf(GetParam()));

      ASSERT_EQ(LaunchTimestepEmbedding(
                    {.timesteps = static_cast<const float*>(t.data()),
                     .flip_sin_to_cos = flip,
                     .downscale_freq_shift = shift,
                     .out = out.data(),
                     .n = 4,
                     .dim = 320,
                     .out_dtype = GetParam()},
                    nullptr),
                cudaSuccess);

      // An ulp of exp moves an angle near 1000 by 1e-4.
      ExpectClose(Fetch(out, expected.shape(), GetParam()), expected,
                  Rounding(GetParam()) + 4e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryType, LayoutTest,
                         testing::Values(DType::kF32, DType::kF16,
                                         DType::kBF16),
                         NameOf);

}  // namespace
}  // namespace tessera::kernels::cuda
