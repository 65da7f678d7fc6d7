// Which base model a LoRA was made for.
#ifndef TESSERA_WORKER_LORA_BASE_MODEL_H_
#define TESSERA_WORKER_LORA_BASE_MODEL_H_

#include <cstdint>
#include <string>

#include "worker/lora/layer_adapter.h"
#include "worker/lora/layer_parts.h"
#include "worker/lora/model_layers.h"

namespace tessera::lora {

// Gathers from a file's layers what tells its base model. Thread-compatible.
class BaseModelEvidence {
 public:
  // Looks at one layer of the file.
  void Add(const LayerParts& layer, const LayerAdapter& adapter);

  // Returns why the file is of another base model than `model`, such as "the
  // LoRA is for Stable Diffusion XL (text width 2048), the model is Stable
  // Diffusion 1 (text width 768)". Empty when nothing says so.
  std::string MismatchWith(const ModelLayers& model) const;

 private:
  int64_t text_width_ = 0;  // that cross-attentions read; 0: not seen
  bool has_second_text_encoder_ = false;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_BASE_MODEL_H_
