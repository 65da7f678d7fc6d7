#include "worker/lora/name_rules.h"

#include <algorithm>

namespace tessera::lora {
namespace {

using model::AdapterNet;

// How a key begins: which net it names, and in what spelling.
struct Prefix {
  std::string_view text;
  AdapterNet net;
  std::optional<Dialect> dialect;  // nothing: the ending tells
  bool flat;                       // underscores for dots
  bool part_of_layer;              // the text belongs to the layer's name
};

// Names kinds of prefixes, for the columns of the table.
constexpr bool kFlat = true, kDotted = false, kKeep = true, kDrop = false;
// Stands in rows whose dialect shows in the key's ending.
constexpr std::nullopt_t kByEnding = std::nullopt;

// Lists the first match first: longer texts stand before their own beginnings.
// The last rows are of files that name no net, such as those of PEFT's
// save_pretrained and of diffusers' save_attn_procs.
constexpr Prefix kPrefixes[] = {
    {"lora_unet_", AdapterNet::kUNet, Dialect::kKohya, kFlat, kDrop},
    {"lora_te_", AdapterNet::kTextEncoder, Dialect::kKohya, kFlat, kDrop},
    {"lora_te1_", AdapterNet::kTextEncoder, Dialect::kKohya, kFlat, kDrop},
    {"lora_te2_", AdapterNet::kTextEncoder2, Dialect::kKohya, kFlat, kDrop},
    {"lora_unet.", AdapterNet::kUNet, Dialect::kOneTrainer, kDotted, kDrop},
    {"lora_te.", AdapterNet::kTextEncoder, Dialect::kOneTrainer, kDotted,
     kDrop},
    {"lora_te1.", AdapterNet::kTextEncoder, Dialect::kOneTrainer, kDotted,
     kDrop},
    {"lora_te2.", AdapterNet::kTextEncoder2, Dialect::kOneTrainer, kDotted,
     kDrop},
    {"clip_l.", AdapterNet::kTextEncoder, Dialect::kOneTrainer, kDotted, kDrop},
    {"clip_g.", AdapterNet::kTextEncoder2, Dialect::kOneTrainer, kDotted,
     kDrop},
    {"unet.", AdapterNet::kUNet, kByEnding, kDotted, kDrop},
    {"text_encoder_2.", AdapterNet::kTextEncoder2, kByEnding, kDotted, kDrop},
    {"text_encoder.", AdapterNet::kTextEncoder, kByEnding, kDotted, kDrop},
    {"down_blocks.", AdapterNet::kUNet, kByEnding, kDotted, kKeep},
    {"mid_block.", AdapterNet::kUNet, kByEnding, kDotted, kKeep},
    {"up_blocks.", AdapterNet::kUNet, kByEnding, kDotted, kKeep},
    {"conv_", AdapterNet::kUNet, kByEnding, kDotted, kKeep},
    {"time_embedding.", AdapterNet::kUNet, kByEnding, kDotted, kKeep},
    {"add_embedding.", AdapterNet::kUNet, kByEnding, kDotted, kKeep},
    {"text_model.", AdapterNet::kTextEncoder, kByEnding, kDotted, kKeep},
};

// Precedes any of the above in files of PEFT's save_pretrained.
constexpr std::string_view kPeftWrapper = "base_model.model.";

// How a key ends: which tensor of the layer it names.
struct Ending {
  std::string_view text;
  Part part;
  std::optional<Dialect> dialect;  // of dotted keys; nothing: any of them
  // The rest of the layer's name where the ending swallowed it, in a UNet and
  // in a text encoder.
  std::string_view unet_rest, text_rest;
};

// Lists longer texts before their own ends. The old attention processors of
// diffusers put the projection into the ending (state_dict_utils.py,
// UNET_TO_DIFFUSERS and DIFFUSERS_OLD_TO_PEFT).
constexpr Ending kEndings[] = {
    {".lora_A.weight", Part::kDown, Dialect::kPeft},
    {".lora_B.weight", Part::kUp, Dialect::kPeft},
    {".lora_A.default.weight", Part::kDown, Dialect::kPeft},
    {".lora_B.default.weight", Part::kUp, Dialect::kPeft},
    {".lora_magnitude_vector", Part::kMagnitude, Dialect::kPeft},
    {".lora_magnitude_vector.weight", Part::kMagnitude, Dialect::kPeft},
    {".lora_magnitude_vector.default.weight", Part::kMagnitude, Dialect::kPeft},
    {".lora.down.weight", Part::kDown, Dialect::kDiffusers},
    {".lora.up.weight", Part::kUp, Dialect::kDiffusers},
    {".lora_linear_layer.down.weight", Part::kDown, Dialect::kDiffusers},
    {".lora_linear_layer.up.weight", Part::kUp, Dialect::kDiffusers},
    {".processor.to_q_lora.down.weight", Part::kDown, Dialect::kDiffusersOld,
     ".to_q", ".q_proj"},
    {".processor.to_q_lora.up.weight", Part::kUp, Dialect::kDiffusersOld,
     ".to_q", ".q_proj"},
    {".processor.to_k_lora.down.weight", Part::kDown, Dialect::kDiffusersOld,
     ".to_k", ".k_proj"},
    {".processor.to_k_lora.up.weight", Part::kUp, Dialect::kDiffusersOld,
     ".to_k", ".k_proj"},
    {".processor.to_v_lora.down.weight", Part::kDown, Dialect::kDiffusersOld,
     ".to_v", ".v_proj"},
    {".processor.to_v_lora.up.weight", Part::kUp, Dialect::kDiffusersOld,
     ".to_v", ".v_proj"},
    {".processor.to_out_lora.down.weight", Part::kDown, Dialect::kDiffusersOld,
     ".to_out.0", ".out_proj"},
    {".processor.to_out_lora.up.weight", Part::kUp, Dialect::kDiffusersOld,
     ".to_out.0", ".out_proj"},
    {".to_q_lora.down.weight", Part::kDown, Dialect::kDiffusersOld, ".to_q",
     ".q_proj"},
    {".to_q_lora.up.weight", Part::kUp, Dialect::kDiffusersOld, ".to_q",
     ".q_proj"},
    {".to_k_lora.down.weight", Part::kDown, Dialect::kDiffusersOld, ".to_k",
     ".k_proj"},
    {".to_k_lora.up.weight", Part::kUp, Dialect::kDiffusersOld, ".to_k",
     ".k_proj"},
    {".to_v_lora.down.weight", Part::kDown, Dialect::kDiffusersOld, ".to_v",
     ".v_proj"},
    {".to_v_lora.up.weight", Part::kUp, Dialect::kDiffusersOld, ".to_v",
     ".v_proj"},
    {".to_out_lora.down.weight", Part::kDown, Dialect::kDiffusersOld,
     ".to_out.0", ".out_proj"},
    {".to_out_lora.up.weight", Part::kUp, Dialect::kDiffusersOld, ".to_out.0",
     ".out_proj"},
    {".lora_down.weight", Part::kDown, Dialect::kOneTrainer},
    {".lora_up.weight", Part::kUp, Dialect::kOneTrainer},
    {".lora_mid.weight", Part::kMid, Dialect::kOneTrainer},
    {".alpha", Part::kAlpha},
    {".dora_scale", Part::kDoraScale},
    {".diff", Part::kDiff},
    {".diff_b", Part::kDiffBias},
    {".w_norm", Part::kNormGain},
    {".b_norm", Part::kNormBias},
    {".hada_w1_a", Part::kHadaW1A, Dialect::kPeft},
    {".hada_w1_b", Part::kHadaW1B, Dialect::kPeft},
    {".hada_w2_a", Part::kHadaW2A, Dialect::kPeft},
    {".hada_w2_b", Part::kHadaW2B, Dialect::kPeft},
    {".hada_t1", Part::kHadaT1, Dialect::kPeft},
    {".hada_t2", Part::kHadaT2, Dialect::kPeft},
    {".lokr_w1", Part::kLokrW1, Dialect::kPeft},
    {".lokr_w1_a", Part::kLokrW1A, Dialect::kPeft},
    {".lokr_w1_b", Part::kLokrW1B, Dialect::kPeft},
    {".lokr_w2", Part::kLokrW2, Dialect::kPeft},
    {".lokr_w2_a", Part::kLokrW2A, Dialect::kPeft},
    {".lokr_w2_b", Part::kLokrW2B, Dialect::kPeft},
    {".lokr_t2", Part::kLokrT2, Dialect::kPeft},
};

// Begins the names of blocks in checkpoints of latent diffusion.
constexpr std::string_view kLdmRoots[] = {
    "input_blocks", "middle_block", "output_blocks", "time_embed_0",
    "time_embed_2", "label_emb",    "out_0",         "out_2"};

// Finds the row that `key` begins with.
const Prefix* FindPrefix(std::string_view key) {
  const auto* const found = std::find_if(
      std::begin(kPrefixes), std::end(kPrefixes),
      [&](const Prefix& prefix) { return key.starts_with(prefix.text); });
  return found == std::end(kPrefixes) ? nullptr : found;
}

// Finds the row that `key` ends with.
const Ending* FindEnding(std::string_view key) {
  const auto* const found = std::find_if(
      std::begin(kEndings), std::end(kEndings),
      [&](const Ending& ending) { return key.ends_with(ending.text); });
  return found == std::end(kEndings) ? nullptr : found;
}

// Decides on the dialect of a key from both rows.
std::optional<Dialect> DialectOf(const Prefix& prefix, const Ending& ending,
                                 const std::string& layer) {
  if (!prefix.dialect.has_value()) {
    // Only OneTrainer writes LDM names with dots.
    return prefix.net == AdapterNet::kUNet && HasLdmName(layer)
               ? Dialect::kOneTrainer
               : ending.dialect;
  }
  // Tells kohya's two block namings apart.
  const bool ldm = prefix.net == AdapterNet::kUNet && HasLdmName(layer);
  if (prefix.dialect == Dialect::kKohya && ldm) return Dialect::kKohyaLdm;
  return prefix.dialect;
}

}  // namespace

std::optional<AdapterKey> ParseAdapterKey(std::string_view key) {
  if (key.starts_with(kPeftWrapper)) key.remove_prefix(kPeftWrapper.size());
  // Looks both ends up; what is between them is the layer.
  const Prefix* const prefix = FindPrefix(key);
  const Ending* const ending = FindEnding(key);
  if (prefix == nullptr || ending == nullptr) return std::nullopt;
  // Prefix and ending may not share text, as in "unet.alpha".
  const size_t taken =
      ending->text.size() + (prefix->part_of_layer ? 0 : prefix->text.size());
  if (key.size() <= taken) return std::nullopt;
  key.remove_suffix(ending->text.size());
  if (!prefix->part_of_layer) key.remove_prefix(prefix->text.size());
  // Kohya's names have no dots but before the ending.
  if (prefix->flat && key.find('.') != key.npos) return std::nullopt;
  // Gives back what the ending swallowed.
  std::string layer(key);
  layer +=
      prefix->net == AdapterNet::kUNet ? ending->unet_rest : ending->text_rest;
  return AdapterKey{DialectOf(*prefix, *ending, layer), prefix->net,
                    std::move(layer), ending->part};
}

std::string Flattened(std::string_view layer) {
  std::string flat(layer);
  std::replace(flat.begin(), flat.end(), '.', '_');
  // Exporters disagree on this wrapper of CLIP's text model.
  constexpr std::string_view kOptional = "text_model_";
  return flat.starts_with(kOptional) ? flat.substr(kOptional.size()) : flat;
}

bool HasLdmName(std::string_view layer) {
  const std::string flat = Flattened(layer);
  return std::any_of(
      std::begin(kLdmRoots), std::end(kLdmRoots),
      [&](std::string_view root) { return flat.starts_with(root); });
}

std::string_view DialectName(Dialect dialect) {
  switch (dialect) {
    case Dialect::kPeft:
      return "PEFT";
    case Dialect::kDiffusers:
      return "diffusers";
    case Dialect::kDiffusersOld:
      return "diffusers with attention processors";
    case Dialect::kKohya:
      return "kohya";
    case Dialect::kKohyaLdm:
      return "kohya with LDM block names";
    case Dialect::kOneTrainer:
      return "OneTrainer";
  }
  return "";
}

std::string_view PartName(Part part) {
  // Prefers kohya's word where dialects differ.
  if (part == Part::kDown) return "lora_down";
  if (part == Part::kUp) return "lora_up";
  if (part == Part::kMid) return "lora_mid";
  const auto* const found =
      std::find_if(std::begin(kEndings), std::end(kEndings),
                   [&](const Ending& ending) { return ending.part == part; });
  return found->text.substr(1);
}

}  // namespace tessera::lora
