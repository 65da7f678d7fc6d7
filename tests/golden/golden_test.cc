// Holds the engine against what diffusers made of the same model.
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/device.h"
#include "tests/golden/golden_case.h"

namespace tessera::model {
namespace {

// Bounds of README.md: relative norms, and decibels of the picture.
constexpr double kEmbeddings = 1e-5;
constexpr double kUNet = 1e-4;
constexpr double kLatents = 1e-3;
constexpr double kDecibels = 55;

// The ids at the end of an .npy file of i32.
std::vector<int32_t> ReadIds(const std::string& path, size_t count) {
  std::ifstream file(path, std::ios::binary);
  std::vector<int32_t> ids(count);
  const auto bytes = static_cast<std::streamoff>(count * sizeof(int32_t));
  file.seekg(-bytes, std::ios::end);
  file.read(reinterpret_cast<char*>(ids.data()), bytes);
  return ids;
}

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    device_ = kernels::CreateCpuDevice(2).value().release();
    auto model = TextToImage::Load(GoldenModel(), *device_);
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = model->release();
  }
  static void TearDownTestSuite() {
    delete model_;
    delete device_;
  }

  static inline kernels::Device* device_ = nullptr;
  static inline TextToImage* model_ = nullptr;
};

TEST_P(GoldenTest, AgreesWithDiffusers) {
  const std::string folder = GetParam();
  GoldenRecorder recorder;

  const std::vector<uint8_t> rgb =
      MakeGolden(*model_, ReadGoldenCase(folder, *device_), &recorder);

  EXPECT_EQ(recorder.ids,
            ReadIds(folder + "/token_ids.npy", recorder.ids.size()));
  EXPECT_LE(RelativeError(recorder.text, folder + "/text_embeddings.npy"),
            kEmbeddings);
  EXPECT_LE(
      RelativeError(recorder.first_prediction, folder + "/unet_step_000.npy"),
      kUNet);
  EXPECT_LE(RelativeError(recorder.latents, folder + "/latents.npy"), kLatents);
  EXPECT_GE(Decibels(rgb, ReadPng(folder + "/image.png")), kDecibels);
}

INSTANTIATE_TEST_SUITE_P(EmojiSd, GoldenTest,
                         ::testing::ValuesIn(GoldenCases()),
                         [](const auto& info) {
                           return GoldenName(info.param);
                         });

}  // namespace
}  // namespace tessera::model
