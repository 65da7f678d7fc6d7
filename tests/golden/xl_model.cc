#include "tests/golden/xl_model.h"

#include <filesystem>
#include <fstream>

#include "nlohmann/json.hpp"
#include "tests/golden/lora_models.h"

namespace tessera::golden {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json ReadJson(const std::string& path) {
  std::ifstream file(path);
  return json::parse(file, nullptr, false);
}

void WriteJson(const std::string& path, const json& value) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << value.dump();
}

}  // namespace

std::string XlGolden(const std::string& file) {
  return std::string(TESSERA_SOURCE_DIR) + "/tests/golden/xl/" + file;
}

void WriteXlModel(const std::string& folder, const std::string& base) {
  const json parts = ReadJson(XlGolden("model.json"));
  for (const auto& [part, described] : parts.items()) {
    const bool is_text = part.starts_with("text_encoder");
    const std::string path = folder + "/" + part + "/";
    if (part == "scheduler") {
      WriteJson(path + "scheduler_config.json", described["config"]);
      continue;
    }
    WriteJson(path + "config.json", described["config"]);
    WritePristineNet(
        path + (is_text ? "model" : "diffusion_pytorch_model") + ".safetensors",
        described["tensors"].get<Shapes>());
  }
  fs::create_directory_symlink(base + "/tokenizer", folder + "/tokenizer");
  const std::string second = folder + "/tokenizer_2/";
  fs::create_directories(second);
  for (const char* file : {"vocab.json", "merges.txt"}) {
    fs::create_symlink(base + "/tokenizer/" + file, second + file);
  }
  json special = ReadJson(base + "/tokenizer/special_tokens_map.json");
  special["pad_token"] = "!";
  WriteJson(second + "special_tokens_map.json", special);
  WriteJson(folder + "/model_index.json",
            {{"_class_name", "StableDiffusionXLPipeline"},
             {"force_zeros_for_empty_prompt", true}});
}

std::vector<XlCase> XlCases() {
  std::vector<XlCase> cases;
  for (const json& one : ReadJson(XlGolden("cases.json"))) {
    cases.push_back(
        {.name = one["name"],
         .request = {.prompt = one["prompt"],
                     .negative_prompt = one.value("negative_prompt", ""),
                     .seed = one["seed"],
                     .num_inference_steps = one["num_inference_steps"],
                     .guidance_scale = one["guidance_scale"],
                     .width = one["width"],
                     .height = one["height"]}});
  }
  return cases;
}

}  // namespace tessera::golden
