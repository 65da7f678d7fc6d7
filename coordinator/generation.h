// What a picture is asked to be: plain types of the submit path.
#ifndef TESSERA_COORDINATOR_GENERATION_H_
#define TESSERA_COORDINATOR_GENERATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tessera::coordinator {

// A LoRA by its registered name and how strongly it is applied (finite).
struct LoraUse {
  std::string name;
  float scale = 1;
  // The file that the name meant when the job was accepted; empty for a LoRA
  // that every worker was given.
  std::string sha256;

  friend auto operator<=>(const LoraUse&, const LoraUse&) = default;
};

// What a line may leave out and the job then gives. Values are in range.
struct GenerationDefaults {
  int num_inference_steps = 50;  // 1 to 1000
  float guidance_scale = 7.5f;   // 0 to 100
  int width = 0;                 // pixels; 0: the model's own
  int height = 0;
  std::string sampler;  // short name; empty: the model's own
  std::vector<LoraUse> loras;
  std::string negative_prompt;
};

// One accepted line of a prompts file, its defaults filled in.
struct PromptLine {
  int64_t line = 0;  // index among the lines that are not blank, from 0
  std::string custom_id;
  std::string prompt;
  std::string negative_prompt;
  std::optional<uint64_t> seed;  // absent: derived from the job's
  int num_images_per_prompt = 1;
  int num_inference_steps = 50;
  float guidance_scale = 7.5f;
  int width = 0;
  int height = 0;
  std::string sampler;
  std::vector<LoraUse> loras;
};

// One picture to make: a line and which of its pictures.
struct ImageTask {
  int64_t line = 0;
  std::string custom_id;
  int index = 0;
  std::string prompt;
  std::string negative_prompt;
  uint64_t seed = 0;
  int num_inference_steps = 50;
  float guidance_scale = 7.5f;
  int width = 0;
  int height = 0;
  std::string sampler;
  std::vector<LoraUse> loras;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_GENERATION_H_
