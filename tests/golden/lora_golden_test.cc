// Holds LoRAs of every dialect and kind against diffusers, peft and LyCORIS.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/device.h"
#include "nlohmann/json.hpp"
#include "tests/golden/lora_models.h"
#include "tests/support/temporary_folder.h"
#include "worker/lora/adapter_file.h"
#include "worker/lora/model_layers.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/low_rank_change.h"
#include "worker/model/safetensors.h"
#include "worker/model/text_to_image.h"

namespace tessera::golden {
namespace {

namespace fs = std::filesystem;
using lora::ModelLayer;
using lora::ModelLayers;
using model::AdapterNet;
using model::AdapterWeights;

const std::string kSource = TESSERA_SOURCE_DIR;
const std::string kGoldens = kSource + "/tests/golden/lora/";
const std::string kBase = kSource + "/deploy/local/models/emoji-sd";

// Relative norms. The libraries merge in f32, a few roundings off ours.
constexpr double kMerged = 2e-6;
constexpr double kUNet = 1e-4;

// Returns |a - b| / |b|.
double RelativeError(const std::vector<double>& a, const float* b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double want = b[i];
    difference += (a[i] - want) * (a[i] - want);
    norm += want * want;
  }
  return std::sqrt(difference / norm);
}

// What a golden tensor "net/layer.weight@scale" is of.
struct MergedName {
  AdapterNet net = AdapterNet::kUNet;
  std::string layer;
  bool bias = false;
  double scale = 0;
};

MergedName ParseMergedName(const std::string& name) {
  MergedName parsed;
  const size_t slash = name.find('/'), at = name.rfind('@');
  const std::string net = name.substr(0, slash);
  if (net == "text_encoder") parsed.net = AdapterNet::kTextEncoder;
  if (net == "text_encoder_2") parsed.net = AdapterNet::kTextEncoder2;
  const std::string tensor = name.substr(slash + 1, at - slash - 1);
  parsed.bias = tensor.ends_with(".bias");
  parsed.layer = tensor.substr(0, tensor.rfind('.'));
  EXPECT_TRUE(absl::SimpleAtod(name.substr(at + 1), &parsed.scale)) << name;
  return parsed;
}

// Returns the tensor with all that the adapter adds at a scale.
std::vector<double> Merge(const AdapterWeights& weights,
                          const ModelLayer& place, const MergedName& name) {
  const std::vector<float> pristine =
      name.bias ? Pristine(place.name + ".bias", {place.outputs})
      : place.is_norm()
          ? Pristine(place.name + ".weight", {place.outputs})
          : Pristine(place.name + ".weight", {place.outputs, place.columns()});
  std::vector<double> sum(pristine.size());
  for (const model::AdapterLayer& layer : weights.layers) {
    if (name.bias || layer.net != place.net || layer.name != place.name) {
      continue;
    }
    EXPECT_TRUE(AddLowRank(layer, name.scale, sum).ok());
  }
  for (const model::LayerChange& change : weights.changes) {
    const bool bias = change.tensor == model::LayerTensor::kBias;
    if (bias != name.bias || change.net != place.net ||
        change.name != place.name) {
      continue;
    }
    change.change->AddTo(pristine, name.scale, sum);
  }
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += pristine[i];
  return sum;
}

// Every LoRA of `folder` that has merged weights, without its ending.
std::vector<std::string> Merged(const std::string& folder) {
  constexpr std::string_view kEnding = ".merged.safetensors";
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kGoldens + folder)) {
    const std::string file = entry.path().filename();
    if (!file.ends_with(kEnding)) continue;
    names.push_back(folder + "/" +
                    file.substr(0, file.size() - kEnding.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Both models, made once.
class LoraGoldenTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    for (const char* name : {"sd1", "sdxl"}) {
      fs::create_directory(*folder_ / name);
    }
    WriteSd1Model(*folder_ / "sd1", kBase, kGoldens + "sd1/unet.json");
    WriteXlLayers(*folder_ / "sdxl", kGoldens + "sdxl/layers.json");
    device_ = kernels::CreateCpuDevice(2).value().release();
  }
  static void TearDownTestSuite() {
    delete device_;
    delete folder_;
  }

  static inline testing::TemporaryFolder* folder_ = nullptr;
  static inline kernels::Device* device_ = nullptr;
};

class MergedWeightsTest : public LoraGoldenTest,
                          public ::testing::WithParamInterface<std::string> {};

TEST_P(MergedWeightsTest, AreThoseOfTheLibrary) {
  const std::string model =
      *folder_ / GetParam().substr(0, GetParam().find('/'));
  const auto layers = ModelLayers::Read(model);
  ASSERT_TRUE(layers.ok()) << layers.status();
  const auto adapter = lora::ReadAdapterFile(
      kGoldens + GetParam() + ".safetensors", *layers, {}, *device_);
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const auto goldens =
      model::Safetensors::Open(kGoldens + GetParam() + ".merged.safetensors");
  ASSERT_TRUE(goldens.ok()) << goldens.status();

  int compared = 0;
  for (const auto& [key, view] : goldens->index().tensors()) {
    const MergedName name = ParseMergedName(key);
    const ModelLayer* const place = layers->Find(name.net, name.layer);
    ASSERT_NE(place, nullptr) << key;
    const std::vector<double> merged = Merge(*adapter->weights, *place, name);
    const auto want = kernels::ToF32(view);
    ASSERT_TRUE(want.ok()) << key;
    ASSERT_EQ(want->shape().elements(), static_cast<int64_t>(merged.size()));
    EXPECT_LE(RelativeError(merged, want->f32()), kMerged) << key;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

std::string TestName(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Sd1, MergedWeightsTest,
                         ::testing::ValuesIn(Merged("sd1")), TestName);
INSTANTIATE_TEST_SUITE_P(Sdxl, MergedWeightsTest,
                         ::testing::ValuesIn(Merged("sdxl")), TestName);

// Keeps each picture's noise prediction, channels first.
class Predictions : public model::DenoiseObserver {
 public:
  void OnPrompt(int64_t, const std::vector<int32_t>&,
                const kernels::TensorView&) override {}
  void OnNoisePrediction(int64_t ticket, int,
                         const kernels::TensorView& noise_pred) override {
    const int64_t channels = noise_pred.shape[2];
    const int64_t pixels = noise_pred.shape[0] * noise_pred.shape[1];
    std::vector<double>& out = by_ticket[ticket];
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) {
        out.push_back(noise_pred.f32()[p * channels + c]);
      }
    }
  }
  void OnLatents(int64_t, const kernels::TensorView&) override {}

  std::map<int64_t, std::vector<double>> by_ticket;
};

// The request that make_lora.py computes, for a set of LoRAs.
model::ImageRequest Request(std::vector<model::AdapterUse> adapters) {
  kernels::Tensor latents({4, 8, 8}, kernels::DType::kF32);
  // The shape of the script, whose first axis is the picture.
  const std::vector<float> values = Pristine("latents", {1, 4, 8, 8});
  for (size_t i = 0; i < values.size(); ++i) latents.f32()[i] = values[i] * 8;
  return {.prompt = "a red apple",
          .num_inference_steps = 1,
          .guidance_scale = 1,
          .sampler = "ddim",
          .width = 64,
          .height = 64,
          .adapters = std::move(adapters),
          .init_latents =
              std::make_shared<const kernels::Tensor>(std::move(latents))};
}

TEST_F(LoraGoldenTest, PredictionsOfOneBatchAreThoseOfDiffusers) {
  const std::string folder = *folder_ / "sd1";
  const auto model = model::TextToImage::Load(folder, *device_);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto layers = ModelLayers::Read(folder);
  ASSERT_TRUE(layers.ok()) << layers.status();
  const auto goldens =
      model::Safetensors::Open(kGoldens + "sd1/outputs.safetensors");
  ASSERT_TRUE(goldens.ok()) << goldens.status();
  std::ifstream file(kGoldens + "sd1/cases.json");
  const auto cases = nlohmann::json::parse(file, nullptr, false);
  Predictions predictions;
  model::DenoiseBatch batch(
      **model,
      {.capacity = static_cast<int>(cases.size()), .observer = &predictions});

  std::map<std::string, std::shared_ptr<const AdapterWeights>> loras;
  for (size_t i = 0; i < cases.size(); ++i) {
    std::vector<model::AdapterUse> adapters;
    for (const auto& use : cases[i]["loras"]) {
      const std::string name = use["file"];
      if (loras.count(name) == 0) {
        auto bound = lora::ReadAdapterFile(kGoldens + "sd1/" + name, *layers,
                                           {}, *device_);
        ASSERT_TRUE(bound.ok()) << bound.status();
        loras[name] = bound->weights;
      }
      adapters.push_back({loras[name], use["scale"]});
    }
    const absl::Status admitted =
        batch.Admit(static_cast<int64_t>(i), Request(std::move(adapters)));
    ASSERT_TRUE(admitted.ok()) << admitted;
  }
  while (batch.size() > 0) batch.Step();

  ASSERT_EQ(predictions.by_ticket.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string name = cases[i]["name"];
    const auto want = kernels::ToF32(goldens->index().tensors().at(name));
    ASSERT_TRUE(want.ok()) << name;
    const auto& found = predictions.by_ticket[static_cast<int64_t>(i)];
    ASSERT_EQ(want->shape().elements(), static_cast<int64_t>(found.size()));
    EXPECT_LE(RelativeError(found, want->f32()), kUNet) << name;
  }
}

}  // namespace
}  // namespace tessera::golden
