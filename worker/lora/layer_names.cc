#include "worker/lora/layer_names.h"

#include <utility>

namespace tessera::lora {
namespace {

using model::AdapterNet;

struct Suffix {
  std::string_view text;
  Part part;
};

constexpr Suffix kSuffixes[] = {
    {".lora_A.weight", Part::kDown},    {".lora_B.weight", Part::kUp},
    {".lora.down.weight", Part::kDown}, {".lora.up.weight", Part::kUp},
    {".lora_down.weight", Part::kDown}, {".lora_up.weight", Part::kUp},
    {".alpha", Part::kAlpha},
};

struct Prefix {
  std::string_view text;
  AdapterNet net;
  bool kohya;  // underscores for dots
};

constexpr Prefix kPrefixes[] = {
    {"unet.", AdapterNet::kUNet, false},
    {"text_encoder.", AdapterNet::kTextEncoder, false},
    {"lora_unet_", AdapterNet::kUNet, true},
    {"lora_te_", AdapterNet::kTextEncoder, true},
};

// Module names that hold underscores of their own, longest first where one
// starts another.
constexpr std::string_view kCompounds[] = {
    "transformer_blocks",
    "down_blocks",
    "up_blocks",
    "mid_block",
    "time_emb_proj",
    "time_embedding",
    "conv_shortcut",
    "conv_norm_out",
    "conv_in",
    "conv_out",
    "proj_in",
    "proj_out",
    "to_out",
    "to_q",
    "to_k",
    "to_v",
    "linear_1",
    "linear_2",
    "text_model",
    "self_attn",
    "q_proj",
    "k_proj",
    "v_proj",
    "out_proj",
};

}  // namespace

std::string DottedFromKohya(std::string_view name) {
  std::string dotted;
  while (!name.empty()) {
    size_t length = name.find('_');
    for (const std::string_view compound : kCompounds) {
      const bool whole =
          name.starts_with(compound) &&
          (name.size() == compound.size() || name[compound.size()] == '_');
      if (whole) {
        length = compound.size();
        break;
      }
    }
    if (!dotted.empty()) dotted += '.';
    dotted += name.substr(0, length);
    if (length >= name.size()) break;
    name.remove_prefix(length + 1);
  }
  return dotted;
}

std::optional<LayerKey> ParseKey(std::string_view key) {
  for (const Suffix& suffix : kSuffixes) {
    if (!key.ends_with(suffix.text)) continue;
    key.remove_suffix(suffix.text.size());
    for (const Prefix& prefix : kPrefixes) {
      if (!key.starts_with(prefix.text)) continue;
      key.remove_prefix(prefix.text.size());
      if (key.empty()) return std::nullopt;
      return LayerKey{prefix.net,
                      prefix.kohya ? DottedFromKohya(key) : std::string(key),
                      suffix.part};
    }
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace tessera::lora
