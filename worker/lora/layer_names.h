// How LoRA files name layers and weights.
#ifndef TESSERA_WORKER_LORA_LAYER_NAMES_H_
#define TESSERA_WORKER_LORA_LAYER_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

#include "worker/model/adapter_weights.h"

namespace tessera::lora {

// Which of a layer's tensors a key names.
enum class Part { kDown, kUp, kAlpha };

// One key of a LoRA file, understood.
struct LayerKey {
  model::AdapterNet net = model::AdapterNet::kUNet;
  std::string layer;  // dotted, as the model file names it
  Part part = Part::kDown;
};

// Reads a key of PEFT's and diffusers' forms ("unet.….lora_A.weight",
// "….lora.down.weight") or of kohya's ("lora_unet_….lora_down.weight",
// "lora_te_….alpha"). Returns nothing for any other key.
std::optional<LayerKey> ParseKey(std::string_view key);

// Returns kohya's name of a layer, whose parts are all joined by underscores,
// with the dots that diffusers' module path has.
std::string DottedFromKohya(std::string_view name);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_LAYER_NAMES_H_
