#include "worker/generation_parameters.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tessera::worker {
namespace {

constexpr size_t kShownHashDigits = 10;  // as in AUTOMATIC1111's own files

// Returns the name that AUTOMATIC1111 shows for a sampler.
std::string SamplerLabel(const std::string& sampler) {
  if (sampler == "ddim") return "DDIM";
  if (sampler == "euler") return "Euler";
  return sampler;
}

}  // namespace

std::string GenerationParameters(const ImageTask& task,
                                 const ModelFacts& model) {
  // Lists LoRAs behind the prompt in A1111's notation; %g drops zeros at the
  // end.
  std::string text = task.prompt;
  for (const LoraUse& lora : task.loras) {
    // A strength of zero gives the plain picture, down to the file's bytes.
    if (lora.scale == 0) continue;
    absl::StrAppendFormat(&text, " <lora:%s:%g>", lora.name, lora.scale);
  }
  // Leaves the line out as A1111 does, whose reader takes it as optional.
  if (!task.negative_prompt.empty()) {
    absl::StrAppend(&text, "\nNegative prompt: ", task.negative_prompt);
  }
  absl::StrAppendFormat(
      &text,
      // Keeps A1111's keys and their order, which tools parse.
      "\nSteps: %d, Sampler: %s, CFG scale: %g, Seed: %u, Size: %dx%d, "
      "Model: %s, Model hash: %s, Version: tessera %s",
      task.num_inference_steps,
      // Resolves what the task left to the model: the text must name what was
      // done.
      SamplerLabel(task.sampler.empty() ? model.sampler : task.sampler),
      task.guidance_scale, task.seed,
      task.width == 0 ? model.width : task.width,
      task.height == 0 ? model.height : task.height, model.name,
      model.digest.substr(0, kShownHashDigits), TESSERA_VERSION);
  return text;
}

}  // namespace tessera::worker
