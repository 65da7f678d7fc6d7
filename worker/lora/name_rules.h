// How LoRA files name tensors: one table for all dialects.
#ifndef TESSERA_WORKER_LORA_NAME_RULES_H_
#define TESSERA_WORKER_LORA_NAME_RULES_H_

#include <optional>
#include <string>
#include <string_view>

#include "worker/model/adapter_weights.h"

namespace tessera::lora {

// Who writes such names. docs/lora.md shows an example of each.
enum class Dialect {
  kPeft,          // unet.….lora_A.weight
  kDiffusers,     // unet.….lora.down.weight, ….lora_linear_layer.up.weight
  kDiffusersOld,  // ….processor.to_q_lora.down.weight
  kKohya,         // lora_unet_down_blocks_….lora_down.weight
  kKohyaLdm,      // lora_unet_input_blocks_….lora_down.weight
  kOneTrainer,    // lora_unet.….lora_down.weight, clip_l.….alpha
};

// Which of a layer's tensors a key names. docs/lora.md has the formulas.
enum class Part {
  kDown,
  kUp,
  kMid,
  kAlpha,
  kMagnitude,  // DoRA as PEFT writes it
  kDoraScale,  // DoRA as LyCORIS and OneTrainer write it
  kDiff,
  kDiffBias,
  kNormGain,
  kNormBias,
  kHadaW1A,
  kHadaW1B,
  kHadaW2A,
  kHadaW2B,
  kHadaT1,
  kHadaT2,
  kLokrW1,
  kLokrW1A,
  kLokrW1B,
  kLokrW2,
  kLokrW2A,
  kLokrW2B,
  kLokrT2,
};

// One key of a LoRA file, understood.
struct AdapterKey {
  // Nothing when every dialect with dotted names may write this key.
  std::optional<Dialect> dialect;
  model::AdapterNet net = model::AdapterNet::kUNet;
  std::string layer;  // as the file spells it, with dots or underscores
  Part part = Part::kDown;
};

// Reads a key by the table. Returns nothing for a key of no known dialect.
std::optional<AdapterKey> ParseAdapterKey(std::string_view key);

// Returns a layer's name with underscores for dots and without the optional
// "text_model" at its start: equal for every spelling of one layer within one
// dialect's block names.
std::string Flattened(std::string_view layer);

// Whether a layer is named as the checkpoints of latent diffusion (LDM) name
// the UNet's blocks: input_blocks, middle_block, output_blocks and so on.
bool HasLdmName(std::string_view layer);

// Returns a dialect's name for messages, such as "kohya with LDM block names".
std::string_view DialectName(Dialect dialect);

// Returns how files end the key of a part in their shortest form, such as
// "lora_down", for messages.
std::string_view PartName(Part part);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_NAME_RULES_H_
