#include "tests/golden/golden_case.h"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "worker/lora/adapter_file.h"
#include "worker/lora/model_layers.h"
#include "worker/model/npy.h"

namespace tessera::model {
namespace {

namespace fs = std::filesystem;

const std::string kSource = TESSERA_SOURCE_DIR;

// Turns pixels [h, w, C] to planes.
std::vector<float> ChannelsFirst(const kernels::TensorView& view) {
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

}  // namespace

std::string GoldenModel() { return kSource + "/deploy/local/models/emoji-sd"; }

std::vector<std::string> GoldenCases() {
  std::vector<std::string> cases;
  for (const auto& entry :
       fs::directory_iterator(kSource + "/tests/golden/emoji-sd")) {
    if (entry.is_directory()) cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

std::string GoldenName(const std::string& folder) {
  std::string name = fs::path(folder).filename();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

ImageRequest ReadGoldenCase(const std::string& folder,
                            kernels::Device& device) {
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
  const auto layers = lora::ModelLayers::Read(GoldenModel()).value();
  for (const auto& lora : json.value("loras", nlohmann::json::array())) {
    const std::string name = lora["file"];
    request.adapters.push_back(
        {lora::ReadAdapterFile(kSource + "/tests/golden/loras/" + name, layers,
                               {}, device)
             .value()
             .weights,
         lora["scale"]});
  }
  return request;
}

void GoldenRecorder::OnPrompt(int64_t, const std::vector<int32_t>& token_ids,
                              const kernels::TensorView& embeddings) {
  ids = token_ids;
  text.assign(embeddings.f32(), embeddings.f32() + embeddings.shape.elements());
}

void GoldenRecorder::OnNoisePrediction(int64_t, int call,
                                       const kernels::TensorView& noise_pred) {
  if (call == 0) first_prediction = ChannelsFirst(noise_pred);
}

void GoldenRecorder::OnLatents(int64_t, const kernels::TensorView& view) {
  latents = ChannelsFirst(view);
}

std::vector<uint8_t> MakeGolden(const TextToImage& model, ImageRequest request,
                                GoldenRecorder* recorder) {
  DenoiseBatch batch(model, {.observer = recorder});
  const absl::Status admitted = batch.Admit(1, std::move(request));
  if (!admitted.ok()) {
    ADD_FAILURE() << admitted;
    return {};
  }
  std::vector<Finished> finished;
  while (finished.empty()) finished = batch.Step();
  if (!finished[0].image.ok()) {
    ADD_FAILURE() << finished[0].image.status();
    return {};
  }
  return finished[0].image->rgb;
}

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

}  // namespace tessera::model
