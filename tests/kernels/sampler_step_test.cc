#include "kernels/ops/sampler_step.h"

#include <vector>

#include "gtest/gtest.h"
#include "kernels/ops/scale_rows.h"
#include "tests/kernels/op_test.h"
#include "tests/kernels/reference.h"

namespace tessera::kernels {
namespace {

// Half a dozen roundings.
constexpr double kTolerance = 1e-6;

TEST(SamplerStepTest, GuidesAndUpdatesEachRowByItsOwnNumbers) {
  const Tensor x = Random({3, 5, 3, 4}, 1), extra = Random({3, 5, 3, 4}, 2);
  const Tensor model = Random({5, 5, 3, 4}, 3);
  const std::vector<SamplerRow> rows = {{1, 0, 7.5f, 0.9f, -0.3f, 0},
                                        {2, -1, 1, 1.1f, 0.2f, 0.5f},
                                        {4, 3, 2, 1, -1, -2}};
  reference::Values expected;
  for (int64_t i = 0; i < 180; ++i) {
    const SamplerRow& row = rows[static_cast<size_t>(i / 60)];
    const double cond = model.f32()[row.cond * 60 + i % 60];
    const double uncond =
        row.uncond < 0 ? cond : model.f32()[row.uncond * 60 + i % 60];
    expected.push_back(row.x_scale * x.f32()[i] +
                       row.model_scale *
                           (uncond + row.guidance * (cond - uncond)) +
                       row.extra_scale * extra.f32()[i]);
  }

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result = x.Clone();
    SamplerStep(stream, {.x = result.view(),
                         .model_output = model.view(),
                         .extra = extra.view(),
                         .rows = rows,
                         .out = result.view()});
    return result;
  });

  ExpectNear(out, expected, kTolerance);
}

TEST(SamplerStepTest, RowAloneHasTheBitsOfRowAmongOthers) {
  const Tensor x = Random({2, 33}, 1), model = Random({4, 33}, 2);
  const std::vector<SamplerRow> rows = {{1, 0, 7.5f, 0.9f, -0.3f, 0},
                                        {3, 2, 5, 0.8f, 0.1f, 0}};

  OnEveryMachine([&](Stream& stream) {
    Tensor all(x.shape(), DType::kF32), alone({1, 33}, DType::kF32);
    SamplerStep(stream, {.x = x.view(),
                         .model_output = model.view(),
                         .rows = rows,
                         .out = all.view()});
    SamplerStep(stream, {.x = x.view().Slice(1, 2),
                         .model_output = model.view(),
                         .rows = std::span(rows).subspan(1),
                         .out = alone.view()});
    ExpectSameBits(alone.view(), all.view().Slice(1, 2));
    return all;
  });
}

TEST(SamplerStepTest, RefusesRowsOutsideTheModelOutput) {
  Tensor x = Random({1, 4}, 1);
  const Tensor model = Random({2, 4}, 2);
  for (const SamplerRow& bad : {SamplerRow{.cond = 2}, SamplerRow{.cond = -1},
                                SamplerRow{.cond = 0, .uncond = 2}}) {
    const std::vector<SamplerRow> rows = {bad};

    ExpectRefused(
        [&](Stream& stream) {
          SamplerStep(stream, {.x = x.view(),
                               .model_output = model.view(),
                               .rows = rows,
                               .out = x.view()});
        },
        "sampler_step");
  }
}

TEST(ScaleRowsTest, CopiesAndScalesChosenRows) {
  const Tensor x = Random({3, 2, 9}, 1);
  const std::vector<ScaledRow> rows = {{2, 0.5f}, {0, 1}, {2, -3}};

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result({3, 2, 9}, DType::kF32);
    ScaleRows(stream, {.x = x.view(), .rows = rows, .out = result.view()});
    return result;
  });

  for (int64_t i = 0; i < 54; ++i) {
    const ScaledRow& row = rows[static_cast<size_t>(i / 18)];
    EXPECT_EQ(out.f32()[i], row.scale * x.f32()[row.source * 18 + i % 18]);
  }
}

TEST(ScaleRowsTest, RefusesASourceOutsideTheRows) {
  const Tensor x = Random({2, 4}, 1);
  const std::vector<ScaledRow> rows = {{2, 1}};
  Tensor out({1, 4}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        ScaleRows(stream, {.x = x.view(), .rows = rows, .out = out.view()});
      },
      "scale_rows");
}

}  // namespace
}  // namespace tessera::kernels
