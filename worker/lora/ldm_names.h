// The UNet's layers as checkpoints of latent diffusion (LDM) name them.
#ifndef TESSERA_WORKER_LORA_LDM_NAMES_H_
#define TESSERA_WORKER_LORA_LDM_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::lora {

// What the numbering of LDM's blocks depends on.
struct UNetBlocks {
  int64_t layers_per_block = 0;    // resnets of a down block
  std::vector<bool> up_attention;  // by up block: whether it has transformers

  // Reads both off the names of a UNet's layers, as diffusers names them.
  static UNetBlocks Of(const std::vector<std::string>& names);
};

// Returns LDM's name of a layer that diffusers calls `name`, both dotted:
// "down_blocks.1.attentions.0.proj_in" is "input_blocks.4.1.proj_in" where
// there are two resnets a block. Returns nothing for a name that is no layer
// of such a UNet (source: ldm/modules/diffusionmodules/openaimodel.py).
std::optional<std::string> LdmName(std::string_view name,
                                   const UNetBlocks& blocks);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_LDM_NAMES_H_
