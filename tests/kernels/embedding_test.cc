#include "kernels/ops/embedding.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels {
namespace {

TEST(TokenEmbeddingTest, AddsTokenAndPosition) {
  const Tensor table = Random({11, 19}, 1), positions = Random({8, 19}, 2);
  Tensor ids({2, 5}, DType::kI32);
  for (int i = 0; i < 10; ++i) ids.view().i32()[i] = i * 7 % 11;

  const Tensor out = OnEveryMachine([&](Stream& stream) {
    Tensor result({2, 5, 19}, DType::kF32);
    TokenEmbedding(stream, {.ids = ids.view(),
                            .table = table.view(),
                            .positions = positions.view(),
                            .out = result.view()});
    return result;
  });

  for (int64_t i = 0; i < 190; ++i) {
    const int64_t row = i / 19, c = i % 19;
    EXPECT_EQ(out.f32()[i], table.f32()[row * 7 % 11 * 19 + c] +
                                positions.f32()[row % 5 * 19 + c]);
  }
}

TEST(TokenEmbeddingTest, RefusesAnIdOutsideTheVocabulary) {
  const Tensor table = Random({11, 4}, 1), positions = Random({8, 4}, 2);
  Tensor ids({1, 2}, DType::kI32), out({1, 2, 4}, DType::kF32);
  for (const int32_t bad : {-1, 11}) {
    ids.view().i32()[1] = bad;

    ExpectRefused(
        [&](Stream& stream) {
          TokenEmbedding(stream, {.ids = ids.view(),
                                  .table = table.view(),
                                  .positions = positions.view(),
                                  .out = out.view()});
        },
        std::to_string(bad));
  }
}

TEST(TimestepEmbeddingTest, IsSinusoidsInEitherOrder) {
  Tensor timesteps({4}, DType::kF32);
  const float steps[] = {0, 1, 500, 999};
  for (int i = 0; i < 4; ++i) timesteps.f32()[i] = steps[i];
  for (const bool flip : {false, true}) {
    for (const float shift : {0.0f, 1.0f}) {
      const Tensor out = OnEveryMachine([&](Stream& stream) {
        Tensor result({4, 32}, DType::kF32);
        TimestepEmbedding(stream, {.timesteps = timesteps.view(),
                                   .flip_sin_to_cos = flip,
                                   .downscale_freq_shift = shift,
                                   .out = result.view()});
        return result;
      });

      for (int i = 0; i < 64; ++i) {
        const int n = i / 16, frequency = i % 16;
        const double angle =
            steps[n] * std::exp(-std::log(10000.0) * frequency /
                                (16 - static_cast<double>(shift)));
        const float* const row = out.f32() + n * 32;
        // An f32 angle of 999 is known to 6e-5.
        EXPECT_NEAR(row[frequency + (flip ? 16 : 0)], std::sin(angle), 2e-4);
        EXPECT_NEAR(row[frequency + (flip ? 0 : 16)], std::cos(angle), 2e-4);
      }
    }
  }
}

TEST(TimestepEmbeddingTest, RefusesAnOddWidth) {
  Tensor timesteps({1}, DType::kF32), out({1, 5}, DType::kF32);

  ExpectRefused(
      [&](Stream& stream) {
        TimestepEmbedding(stream,
                          {.timesteps = timesteps.view(), .out = out.view()});
      },
      "timestep_embedding");
}

}  // namespace
}  // namespace tessera::kernels
