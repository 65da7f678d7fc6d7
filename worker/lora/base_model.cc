#include "worker/lora/base_model.h"

#include "absl/strings/str_cat.h"
#include "worker/lora/name_rules.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;

// Names a family by the width of its text embeddings: CLIP ViT-L has 768,
// OpenCLIP ViT-H 1024, and XL joins ViT-L and ViT-bigG to 2048.
std::string FamilyOf(int64_t text_width) {
  switch (text_width) {
    case 768:
      return "Stable Diffusion 1";
    case 1024:
      return "Stable Diffusion 2";
    case 2048:
      return "Stable Diffusion XL";
    default:
      return "another base model";
  }
}

// Names a family with the width that tells it.
std::string Describe(int64_t text_width) {
  return absl::StrCat(FamilyOf(text_width), " (text width ", text_width, ")");
}

}  // namespace

void BaseModelEvidence::Add(const LayerParts& layer,
                            const LayerAdapter& adapter) {
  // Knows one family with a second text encoder.
  if (layer.net == AdapterNet::kTextEncoder2) has_second_text_encoder_ = true;
  if (layer.net != AdapterNet::kUNet || !adapter.changes_weight()) return;
  // Both block namings end alike.
  const std::string name = Flattened(layer.layer);
  if (name.ends_with("_attn2_to_k") || name.ends_with("_attn2_to_v")) {
    text_width_ = adapter.shape().columns;
  }
}

// Compares widths first: they tell the families apart by name.
std::string BaseModelEvidence::MismatchWith(const ModelLayers& model) const {
  if (text_width_ != 0 && model.text_width() != 0 &&
      text_width_ != model.text_width()) {
    return absl::StrCat("the LoRA is for ", Describe(text_width_),
                        ", the model is ", Describe(model.text_width()));
  }
  if (has_second_text_encoder_ && !model.Has(AdapterNet::kTextEncoder2)) {
    return "the LoRA is for a model with two text encoders (Stable Diffusion "
           "XL), the model has one";
  }
  return "";
}

}  // namespace tessera::lora
