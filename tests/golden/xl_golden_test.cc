// Holds a model of the XL kind against diffusers, on the CPU and on a device
// with memory of its own.
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/convert.h"
#include "kernels/device.h"
#include "kernels/transfer.h"
#include "tests/golden/golden_case.h"
#include "tests/golden/xl_model.h"
#include "tests/support/guarded_device.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "worker/model/model_parts.h"
#include "worker/model/picture_decoder.h"
#include "worker/model/prompt_cache.h"
#include "worker/model/safetensors.h"
#include "worker/model/text_to_image.h"

namespace tessera::golden {
namespace {

using kernels::DType;
using kernels::Tensor;
using model::GoldenRecorder;
using model::TextToImage;
using ::tessera::testing::IsOk;

// Relative norms, as for the demo model.
constexpr double kEmbeddings = 1e-5;
constexpr double kPrediction = 1e-4;
constexpr double kLatents = 1e-3;
// Decibels of pictures in f32, and where weights and activations are f16.
constexpr double kPictures = 55;
constexpr double kHalfPictures = 35;

// The golden tensors of a case.
class Goldens {
 public:
  explicit Goldens(const std::string& name)
      : file_(model::Safetensors::Open(XlGolden(name + ".safetensors"))) {
    EXPECT_THAT(file_, IsOk());
  }

  // Returns |got - tensor| / |tensor|; |got| where the tensor is zero.
  double Error(const std::string& tensor, const std::vector<float>& got) {
    const auto want = kernels::ToF32(file_->index().tensors().at(tensor));
    EXPECT_THAT(want, IsOk());
    EXPECT_EQ(want->shape().elements(), static_cast<int64_t>(got.size()));
    if (want->shape().elements() != static_cast<int64_t>(got.size())) {
      return INFINITY;
    }
    double difference = 0, norm = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double value = want->f32()[i];
      difference += (got[i] - value) * (got[i] - value);
      norm += value * value;
    }
    return std::sqrt(norm > 0 ? difference / norm : difference);
  }

 private:
  absl::StatusOr<model::Safetensors> file_;
};

// Returns the elements of a tensor with the model's device.
std::vector<float> Values(const TextToImage& model, const Tensor& tensor) {
  const auto host = kernels::ToHost(model.parts().device, tensor.view());
  EXPECT_THAT(host, IsOk());
  return {host->f32(), host->f32() + host->shape().elements()};
}

// The model in a folder, made once, and loaded for three devices.
class XlGoldenTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    WriteXlModel(folder_->path(), model::GoldenModel());
    cpu_ = kernels::CreateCpuDevice(1).value().release();
    model_ = TextToImage::Load(folder_->path(), *cpu_).value().release();
  }

  static void TearDownTestSuite() {
    delete model_;
    delete cpu_;
    delete folder_;
  }

  static testing::TemporaryFolder* folder_;
  static kernels::Device* cpu_;
  static TextToImage* model_;
};

testing::TemporaryFolder* XlGoldenTest::folder_ = nullptr;
kernels::Device* XlGoldenTest::cpu_ = nullptr;
TextToImage* XlGoldenTest::model_ = nullptr;

TEST_F(XlGoldenTest, PicturesAreThoseOfDiffusers) {
  for (const XlCase& one : XlCases()) {
    SCOPED_TRACE(one.name);
    Goldens goldens(one.name);
    GoldenRecorder recorder;
    const auto rgb = MakeGolden(*model_, one.request, &recorder);

    EXPECT_LE(goldens.Error("embeddings", recorder.text), kEmbeddings);
    EXPECT_LE(goldens.Error("unet_step_000", recorder.first_prediction),
              kPrediction);
    EXPECT_LE(goldens.Error("latents", recorder.latents), kLatents);
    EXPECT_GE(model::Decibels(rgb, model::ReadPng(XlGolden(one.name + ".png"))),
              kPictures);
  }
}

TEST_F(XlGoldenTest, PooledAndNegativeTextsAreThoseOfDiffusers) {
  model::PromptCache cache(*model_, 4);
  for (const XlCase& one : XlCases()) {
    SCOPED_TRACE(one.name);
    Goldens goldens(one.name);
    model::PromptUse use{.text = one.request.prompt,
                         .width = one.request.width,
                         .height = one.request.height};
    const auto prompt = cache.Get(use, {});
    ASSERT_THAT(prompt, IsOk());
    EXPECT_LE(goldens.Error("pooled", Values(*model_, (*prompt)->pooled)),
              kEmbeddings);
    if (one.request.guidance_scale <= 1) continue;
    use.text = one.request.negative_prompt;
    use.zeros = use.text.empty();
    const auto negative = cache.Get(use, {});
    ASSERT_THAT(negative, IsOk());
    EXPECT_LE(goldens.Error("negative_embeddings",
                            Values(*model_, (*negative)->embeddings)),
              kEmbeddings);
    EXPECT_LE(
        goldens.Error("negative_pooled", Values(*model_, (*negative)->pooled)),
        kEmbeddings);
  }
}

TEST_F(XlGoldenTest, SizesArePartOfTheConditioning) {
  model::PromptCache cache(*model_, 4);
  model::PromptUse use{.text = "a fox", .width = 64, .height = 64};
  const auto square = cache.Get(use, {}).value();
  use.width = 128;
  const auto wide = cache.Get(use, {}).value();

  EXPECT_EQ(Values(*model_, square->pooled), Values(*model_, wide->pooled));
  EXPECT_NE(Values(*model_, square->added), Values(*model_, wide->added));
}

TEST_F(XlGoldenTest, NeighboursDoNotChangeAPicture) {
  const XlCase one = XlCases().front();
  const auto alone = MakeGolden(*model_, one.request, nullptr);
  model::DenoiseBatch batch(*model_, {.capacity = 3});
  model::ImageRequest other = one.request;
  other.prompt = "something else";
  other.negative_prompt = "text";
  other.num_inference_steps = 2;
  ASSERT_THAT(batch.Admit(1, other), IsOk());
  ASSERT_THAT(batch.Admit(2, one.request), IsOk());
  other.guidance_scale = 1;
  ASSERT_THAT(batch.Admit(3, other), IsOk());

  std::vector<uint8_t> together;
  while (batch.size() > 0) {
    for (const model::Finished& finished : batch.Step()) {
      ASSERT_THAT(finished.image, IsOk());
      if (finished.ticket == 2) together = finished.image->rgb;
    }
  }
  EXPECT_EQ(together, alone);
}

TEST_F(XlGoldenTest, ADeviceWithItsOwnMemoryMakesTheSameBits) {
  const auto device = MakeGuardedDevice({});
  const auto model = TextToImage::Load(folder_->path(), *device);
  ASSERT_THAT(model, IsOk());
  for (const XlCase& one : XlCases()) {
    EXPECT_EQ(MakeGolden(**model, one.request, nullptr),
              MakeGolden(*model_, one.request, nullptr))
        << one.name;
  }
}

TEST_F(XlGoldenTest, SixteenBitsAreEnough) {
  const auto device = MakeGuardedDevice({.compute_dtype = DType::kF16});
  const auto model = TextToImage::Load(folder_->path(), *device);
  ASSERT_THAT(model, IsOk());
  for (const XlCase& one : XlCases()) {
    EXPECT_GE(model::Decibels(MakeGolden(**model, one.request, nullptr),
                              model::ReadPng(XlGolden(one.name + ".png"))),
              kHalfPictures)
        << one.name;
  }
}

// force_upcast: the very bits of the CPU, for the same latents.
TEST_F(XlGoldenTest, SixteenBitDevicesDecodeInF32) {
  const auto device = MakeGuardedDevice({.compute_dtype = DType::kF16});
  const auto model = TextToImage::Load(folder_->path(), *device);
  ASSERT_THAT(model, IsOk());
  Tensor latents({1, 8, 8, 4}, DType::kF32);
  for (int i = 0; i < 256; ++i) {
    latents.f32()[i] = std::sin(static_cast<float>(i));
  }

  const auto half = model::PictureDecoder(**model).Decode(latents.view());
  const auto cpu = model::PictureDecoder(*model_).Decode(latents.view());

  ASSERT_THAT(half, IsOk());
  ASSERT_THAT(cpu, IsOk());
  EXPECT_EQ(half->rgb, cpu->rgb);
}

}  // namespace
}  // namespace tessera::golden
