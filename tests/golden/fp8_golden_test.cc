// Calibrates the demo model and holds it, multiplied in 8 bits, against itself.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/device.h"
#include "tests/golden/golden_case.h"
#include "tests/support/guarded_device.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "worker/model/calibration.h"
#include "worker/model/model_parts.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {
namespace {

namespace fs = std::filesystem;
using ::tessera::testing::IsOk;

// Products of E4M3 are good to a few percent; a picture is to be the same one.
constexpr double kPictures = 18;

// Returns a request that no golden case makes.
ImageRequest Request(const std::string& prompt) {
  return {.prompt = prompt,
          .seed = 5,
          .num_inference_steps = 10,
          .guidance_scale = 5,
          .width = 128,
          .height = 128};
}

// Makes `folder` the demo model, with ranges of inputs.
void WriteModel(const std::string& folder, const InputRanges& ranges) {
  const fs::path demo = GoldenModel();
  for (const char* part :
       {"model_index.json", "scheduler", "text_encoder", "tokenizer", "vae"}) {
    fs::create_symlink(demo / part, fs::path(folder) / part);
  }
  const fs::path unet = fs::path(folder) / "unet";
  fs::create_directories(unet);
  for (const auto& entry : fs::directory_iterator(demo / "unet")) {
    fs::create_symlink(entry.path(), unet / entry.path().filename());
  }
  std::ofstream(unet / kInputRangesFile) << ranges.Format();
}

TEST(Fp8GoldenTest, CalibratedPicturesStayTheSameToTheEye) {
  const auto ranges =
      Calibrate(GoldenModel(), 1, {Request("a red apple"), Request("a cat")});
  ASSERT_THAT(ranges, IsOk());
  const testing::TemporaryFolder folder;
  WriteModel(folder.path(), *ranges);
  const auto cpu = kernels::CreateCpuDevice(1).value();
  const auto guarded =
      MakeGuardedDevice({.compute_dtype = kernels::DType::kF16});
  const auto plain = TextToImage::Load(GoldenModel(), *cpu);
  const auto fp8 = TextToImage::Load(folder.path(), *guarded);
  ASSERT_THAT(plain, IsOk());
  ASSERT_THAT(fp8, IsOk());

  // Every linear layer of the UNet that runs is calibrated.
  int matrices = 0, in_8_bits = 0;
  for (const LayerWeights& weights : (*fp8)->parts().unet.table().weights()) {
    if (weights.matrix == nullptr || weights.matrix->kernel_h() > 1) continue;
    ++matrices;
    in_8_bits += weights.matrix->fp8() == nullptr ? 0 : 1;
  }
  EXPECT_GT(in_8_bits, 0);
  EXPECT_GE(in_8_bits, matrices * 9 / 10);
  // What makes other pictures is another model.
  EXPECT_NE((*fp8)->facts().digest, (*plain)->facts().digest);

  const ImageRequest request = Request("a happy penguin");
  const double decibels = Decibels(MakeGolden(**fp8, request, nullptr),
                                   MakeGolden(**plain, request, nullptr));
  RecordProperty("decibels", std::to_string(decibels));
  EXPECT_GE(decibels, kPictures);
  EXPECT_LT(decibels, 99);
}

}  // namespace
}  // namespace tessera::model
