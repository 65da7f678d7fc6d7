#include "worker/model/initial_latents.h"

#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/denoising/sampler_values.h"

namespace tessera::model {
namespace {

using ::testing::ElementsAre;

// Returns the latents of a request, [1, h, w, C] in one row.
std::vector<float> Latents(const ImageRequest& request, float scale,
                           int64_t height, int64_t width, int64_t channels) {
  const kernels::Tensor latents({1, height, width, channels},
                                kernels::DType::kF32);
  WriteInitialLatents(request, scale, latents.view());
  return {latents.f32(), latents.f32() + latents.shape().elements()};
}

TEST(InitialLatentsTest, NoiseOfTheSeedIsThatOfTorchByPixels) {
  for (const auto& wanted : SamplerValues("latents")) {
    ImageRequest request;
    request.seed = wanted["seed"].get<uint64_t>();

    const std::vector<float> latents =
        Latents(request, 1, wanted["height"].get<int64_t>(),
                wanted["width"].get<int64_t>(), 4);

    ExpectNear(latents, FloatsOf(wanted["pixels"]), 1e-6, wanted.dump());
  }
}

TEST(InitialLatentsTest, ScaleMultipliesTheNoise) {
  ImageRequest request;
  request.seed = 3;
  const std::vector<float> unit = Latents(request, 1, 4, 4, 4);
  const std::vector<float> scaled = Latents(request, 14.5f, 4, 4, 4);

  for (size_t i = 0; i < unit.size(); ++i) {
    EXPECT_EQ(scaled[i], unit[i] * 14.5f) << i;
  }
}

TEST(InitialLatentsTest, GivenNoiseReplacesThatOfTheSeed) {
  auto noise = std::make_shared<kernels::Tensor>(kernels::Shape{2, 1, 3},
                                                 kernels::DType::kF32);
  for (int i = 0; i < 6; ++i) noise->f32()[i] = static_cast<float>(i);
  ImageRequest request;
  request.seed = 3;
  request.init_latents = noise;

  // Planes 0 1 2 and 3 4 5 become pixels.
  EXPECT_THAT(Latents(request, 10, 1, 3, 2),
              ElementsAre(0, 30, 10, 40, 20, 50));
}

TEST(InitialLatentsTest, NoiseDependsOnTheShapeOnlyThroughItsOrder) {
  ImageRequest request;
  request.seed = 8;
  const std::vector<float> wide = Latents(request, 1, 2, 8, 4);
  const std::vector<float> tall = Latents(request, 1, 8, 2, 4);

  EXPECT_EQ(wide, tall);  // as torch: one stream, read by planes
}

}  // namespace
}  // namespace tessera::model
