// The layers of a model that a LoRA may name.
#ifndef TESSERA_WORKER_LORA_MODEL_LAYERS_H_
#define TESSERA_WORKER_LORA_MODEL_LAYERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/adapter_weights.h"

namespace tessera::lora {

// One linear layer, convolution or norm.
struct ModelLayer {
  model::AdapterNet net = model::AdapterNet::kUNet;
  std::string name;  // as in the model file, without ".weight"
  int64_t outputs = 0;
  int64_t inputs = 0;  // a norm has none
  int64_t kernel_h = 1;
  int64_t kernel_w = 1;
  bool has_bias = false;

  bool is_norm() const { return inputs == 0; }
  int64_t window() const { return kernel_h * kernel_w; }
  // Elements of one output's weights: the columns of the weight matrix.
  int64_t columns() const { return is_norm() ? 1 : inputs * window(); }
};

// All layers of one model, found by any spelling of their names. Immutable;
// thread-safe.
class ModelLayers {
 public:
  // Reads the headers of a model folder's UNet and text encoders, without
  // their weights: Stable Diffusion 1 and 2, and XL, whose second text encoder
  // is there. Errors: NOT_FOUND for a missing file, or INVALID_ARGUMENT for a
  // damaged one.
  static absl::StatusOr<ModelLayers> Read(const std::string& model_dir);

  // Takes the layers as given; `model_dir` only names the model.
  ModelLayers(std::string model_dir, std::vector<ModelLayer> layers);

  // Returns the folder, which tells models apart.
  const std::string& model_dir() const { return model_dir_; }

  // Returns the layer of a net that a file spells `name`: with dots or with
  // underscores, by diffusers' or LDM's block names. Returns null when there is
  // none, or more than one.
  const ModelLayer* Find(model::AdapterNet net, std::string_view name) const;

  bool Has(model::AdapterNet net) const;
  const std::vector<ModelLayer>& layers() const { return layers_; }

  // Width of the text embeddings that the UNet's cross-attention reads, by
  // which base models differ; 0 when it has none.
  int64_t text_width() const { return text_width_; }

 private:
  using Names = std::map<std::pair<model::AdapterNet, std::string>, int>;

  void AddName(model::AdapterNet net, std::string_view name, int number);

  std::string model_dir_;
  std::vector<ModelLayer> layers_;
  Names numbers_;  // flattened names; kAmbiguous where two layers share one
  int64_t text_width_ = 0;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_MODEL_LAYERS_H_
