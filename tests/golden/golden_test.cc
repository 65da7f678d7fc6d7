// Holds the engine against what diffusers made of the same model.
#include <png.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/device.h"
#include "nlohmann/json.hpp"
#include "worker/lora/adapter_file.h"
#include "worker/lora/model_layers.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/npy.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {
namespace {

namespace fs = std::filesystem;

// Bounds of README.md: relative norms, and decibels of the picture.
constexpr double kEmbeddings = 1e-5;
constexpr double kUNet = 1e-4;
constexpr double kLatents = 1e-3;
constexpr double kDecibels = 55;

const std::string kSource = TESSERA_SOURCE_DIR;
const std::string kModel = kSource + "/deploy/local/models/emoji-sd";

// Keeps what a case computes, pictures in [C, h, w] as the goldens are.
class Recorder : public DenoiseObserver {
 public:
  void OnPrompt(int64_t, const std::vector<int32_t>& token_ids,
                const kernels::TensorView& embeddings) override {
    ids = token_ids;
    text.assign(embeddings.f32(),
                embeddings.f32() + embeddings.shape.elements());
  }
  void OnNoisePrediction(int64_t, int call,
                         const kernels::TensorView& noise_pred) override {
    if (call == 0) first_prediction = ChannelsFirst(noise_pred);
  }
  void OnLatents(int64_t, const kernels::TensorView& view) override {
    latents = ChannelsFirst(view);
  }

  std::vector<int32_t> ids;
  std::vector<float> text;
  std::vector<float> first_prediction;
  std::vector<float> latents;

 private:
  static std::vector<float> ChannelsFirst(const kernels::TensorView& view) {
    const int64_t channels = view.shape[2];
    const int64_t pixels = view.shape[0] * view.shape[1];
    std::vector<float> out;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) {
        out.push_back(view.f32()[p * channels + c]);
      }
    }
    return out;
  }
};

double RelativeError(const std::vector<float>& got, const std::string& path) {
  const auto reference = ReadNpy(path);
  if (!reference.ok() ||
      reference->shape().elements() != static_cast<int64_t>(got.size())) {
    ADD_FAILURE() << path << ": " << reference.status() << " or its size";
    return INFINITY;
  }
  double difference = 0, norm = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double want = reference->f32()[i];
    difference += (got[i] - want) * (got[i] - want);
    norm += want * want;
  }
  return std::sqrt(difference / norm);
}

// The ids at the end of an .npy file of i32.
std::vector<int32_t> ReadIds(const std::string& path, size_t count) {
  std::ifstream file(path, std::ios::binary);
  std::vector<int32_t> ids(count);
  const auto bytes = static_cast<std::streamoff>(count * sizeof(int32_t));
  file.seekg(-bytes, std::ios::end);
  file.read(reinterpret_cast<char*>(ids.data()), bytes);
  return ids;
}

std::vector<uint8_t> ReadPng(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&image, path.c_str())) return {};
  image.format = PNG_FORMAT_RGB;
  std::vector<uint8_t> rgb(PNG_IMAGE_SIZE(image));
  png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr);
  return rgb;
}

double Decibels(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  if (a.empty() || a.size() != b.size()) return 0;
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  if (sum == 0) return 99;
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.size()) / sum);
}

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    device_ = kernels::CreateCpuDevice(2).value().release();
    auto model = TextToImage::Load(kModel, *device_);
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = model->release();
  }
  static void TearDownTestSuite() {
    delete model_;
    delete device_;
  }

  static ImageRequest ReadCase(const std::string& folder) {
    std::ifstream file(folder + "/case.json");
    const auto json = nlohmann::json::parse(file, nullptr, false);
    ImageRequest request{.prompt = json["prompt"],
                         .negative_prompt = json.value("negative_prompt", ""),
                         .seed = json["seed"],
                         .num_inference_steps = json["steps"],
                         .guidance_scale = json["guidance"],
                         .sampler = json["sampler"],
                         .width = json["width"],
                         .height = json["height"]};
    if (json.contains("init_latents")) {
      const std::string name = json["init_latents"];
      request.init_latents = std::make_shared<const kernels::Tensor>(
          ReadNpy(folder + "/" + name).value());
    }
    const auto layers = lora::ModelLayers::Read(kModel).value();
    for (const auto& lora : json.value("loras", nlohmann::json::array())) {
      const std::string name = lora["file"];
      request.adapters.push_back(
          {lora::ReadAdapterFile(kSource + "/tests/golden/loras/" + name,
                                 layers, {}, *device_)
               .value()
               .weights,
           lora["scale"]});
    }
    return request;
  }

  static inline kernels::Device* device_ = nullptr;
  static inline TextToImage* model_ = nullptr;
};

TEST_P(GoldenTest, AgreesWithDiffusers) {
  const std::string folder = kSource + "/tests/golden/emoji-sd/" + GetParam();
  Recorder recorder;
  DenoiseBatch batch(*model_, {.observer = &recorder});

  const absl::Status admitted = batch.Admit(1, ReadCase(folder));
  ASSERT_TRUE(admitted.ok()) << admitted;
  std::vector<Finished> finished;
  while (finished.empty()) finished = batch.Step();

  EXPECT_EQ(recorder.ids,
            ReadIds(folder + "/token_ids.npy", recorder.ids.size()));
  EXPECT_LE(RelativeError(recorder.text, folder + "/text_embeddings.npy"),
            kEmbeddings);
  EXPECT_LE(
      RelativeError(recorder.first_prediction, folder + "/unet_step_000.npy"),
      kUNet);
  EXPECT_LE(RelativeError(recorder.latents, folder + "/latents.npy"), kLatents);
  ASSERT_TRUE(finished[0].image.ok()) << finished[0].image.status();
  EXPECT_GE(Decibels(finished[0].image->rgb, ReadPng(folder + "/image.png")),
            kDecibels);
}

std::vector<std::string> Cases() {
  std::vector<std::string> cases;
  for (const auto& entry :
       fs::directory_iterator(kSource + "/tests/golden/emoji-sd")) {
    if (entry.is_directory()) cases.push_back(entry.path().filename());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

INSTANTIATE_TEST_SUITE_P(EmojiSd, GoldenTest, ::testing::ValuesIn(Cases()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace tessera::model
