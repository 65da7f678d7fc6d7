#include "tests/golden/lora_models.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "nlohmann/json.hpp"

namespace tessera::golden {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json ReadJson(const std::string& path) {
  std::ifstream file(path);
  return json::parse(file, nullptr, false);
}

}  // namespace

std::vector<float> Pristine(const std::string& name,
                            const std::vector<int64_t>& shape) {
  // FNV-1a.
  uint32_t seed = 2166136261u;
  for (const char letter : name) {
    seed = (seed ^ static_cast<uint8_t>(letter)) * 16777619u;
  }
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  // The largest power of two up to 4 / sqrt(inputs).
  float scale = 4;
  if (shape.size() >= 2) {
    const auto inputs = static_cast<float>(count / shape[0]);
    while (scale * scale * inputs > 16) scale /= 2;
  }
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    uint32_t x = seed + static_cast<uint32_t>(i) * 0x9E3779B9u;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    float value = static_cast<float>(x >> 8) / 16777216.0f - 0.5f;
    if (shape.size() >= 2) {
      value *= scale;
    } else {
      value = name.ends_with("weight") ? 1 + value / 2 : value / 4;
    }
    values.push_back(value);
  }
  return values;
}

void WritePristineNet(const std::string& path, const Shapes& shapes) {
  json header = json::object();
  std::string data;
  for (const auto& [name, shape] : shapes) {
    const std::vector<float> values = Pristine(name, shape);
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(values.data()),
                values.size() * sizeof(float));
    header[name] = {{"dtype", "F32"},
                    {"shape", shape},
                    {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const auto length = static_cast<uint64_t>(text.size());
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << text << data;
}

void WriteSd1Model(const std::string& folder, const std::string& base,
                   const std::string& unet_json) {
  for (const char* part :
       {"model_index.json", "scheduler", "text_encoder", "tokenizer", "vae"}) {
    fs::create_symlink(fs::path(base) / part, fs::path(folder) / part);
  }
  const json unet = ReadJson(unet_json);
  WritePristineNet(folder + "/unet/diffusion_pytorch_model.safetensors",
                   unet["tensors"].get<Shapes>());
  json config = unet["config"];
  config["_class_name"] = "UNet2DConditionModel";
  std::ofstream(folder + "/unet/config.json") << config.dump();
}

void WriteXlLayers(const std::string& folder, const std::string& layers_json) {
  const json nets = ReadJson(layers_json);
  for (const auto& [net, shapes] : nets.items()) {
    const char* const stem =
        net == "unet" ? "diffusion_pytorch_model" : "model";
    WritePristineNet(folder + "/" + net + "/" + stem + ".safetensors",
                     shapes.get<Shapes>());
  }
}

}  // namespace tessera::golden
