#include "worker/lora/model_layers.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/lora/ldm_names.h"
#include "worker/lora/name_rules.h"
#include "worker/model/weight_reader.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;

// Marks a name that stands for two layers, so that nobody guesses.
constexpr int kAmbiguous = -1;
// Ends the name of every weight.
constexpr std::string_view kWeight = ".weight";

// One net of a model folder.
struct NetFile {
  AdapterNet net;
  const char* folder;
  const char* stem;  // of the weights' file
  bool optional;
};

// Lists the nets that adapters may change; only XL has the last.
constexpr NetFile kNetFiles[] = {
    {AdapterNet::kUNet, "unet", "diffusion_pytorch_model", false},
    {AdapterNet::kTextEncoder, "text_encoder", "model", false},
    {AdapterNet::kTextEncoder2, "text_encoder_2", "model", true},
};

// Reads one weight's header entry as a layer; embeddings are tables of rows
// and not layers.
std::optional<ModelLayer> LayerOf(AdapterNet net, std::string_view tensor,
                                  const kernels::Shape& shape) {
  if (!tensor.ends_with(kWeight)) return std::nullopt;
  tensor.remove_suffix(kWeight.size());
  if (tensor.find("embeddings.") != tensor.npos) return std::nullopt;
  ModelLayer layer{.net = net, .name = std::string(tensor)};
  if (shape.rank() != 1 && shape.rank() != 2 && shape.rank() != 4) {
    return std::nullopt;
  }
  // Reads one axis as a norm, two as a linear layer, four as a convolution.
  layer.outputs = shape[0];
  if (shape.rank() >= 2) layer.inputs = shape[1];
  if (shape.rank() == 4) {
    layer.kernel_h = shape[2];
    layer.kernel_w = shape[3];
  }
  return layer;
}

// Adds the layers of one net's file to `layers`.
absl::Status ReadNet(const std::string& model_dir, const NetFile& file,
                     std::vector<ModelLayer>& layers) {
  const std::string folder = absl::StrCat(model_dir, "/", file.folder);
  std::error_code ignored;
  if (file.optional && !std::filesystem::is_directory(folder, ignored)) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const model::WeightReader reader,
                   model::WeightReader::Open(folder, file.stem));
  for (const auto& [name, view] : reader.file().index().tensors()) {
    std::optional<ModelLayer> layer = LayerOf(file.net, name, view.shape);
    if (!layer.has_value()) continue;
    // Looks the bias up beside the weight: attention often has none.
    layer->has_bias = reader.Has(absl::StrCat(layer->name, ".bias"));
    layers.push_back(*std::move(layer));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelLayers> ModelLayers::Read(const std::string& model_dir) {
  std::vector<ModelLayer> layers;
  for (const NetFile& file : kNetFiles) {
    RETURN_IF_ERROR(ReadNet(model_dir, file, layers));
  }
  return ModelLayers(model_dir, std::move(layers));
}

ModelLayers::ModelLayers(std::string model_dir, std::vector<ModelLayer> layers)
    : model_dir_(std::move(model_dir)), layers_(std::move(layers)) {
  // Reads the numbering of the blocks off all names before it makes one.
  std::vector<std::string> names;
  for (const ModelLayer& layer : layers_) {
    if (layer.net == AdapterNet::kUNet) names.push_back(layer.name);
  }
  const UNetBlocks blocks = UNetBlocks::Of(names);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const ModelLayer& layer = layers_[i];
    const int number = static_cast<int>(i);
    AddName(layer.net, layer.name, number);
    if (layer.net != AdapterNet::kUNet) continue;
    // Adds the second name that files may have for a layer of a UNet.
    const auto ldm = LdmName(layer.name, blocks);
    if (ldm.has_value()) AddName(layer.net, *ldm, number);
    // Takes any cross-attention: all read the same texts.
    if (layer.name.ends_with(".attn2.to_k")) text_width_ = layer.inputs;
  }
}

void ModelLayers::AddName(AdapterNet net, std::string_view name, int number) {
  const auto [at, added] =
      numbers_.emplace(std::pair(net, Flattened(name)), number);
  if (!added) at->second = kAmbiguous;
}

const ModelLayer* ModelLayers::Find(AdapterNet net,
                                    std::string_view name) const {
  const auto found = numbers_.find({net, Flattened(name)});
  if (found == numbers_.end() || found->second == kAmbiguous) return nullptr;
  return &layers_[static_cast<size_t>(found->second)];
}

bool ModelLayers::Has(AdapterNet net) const {
  return std::any_of(layers_.begin(), layers_.end(),
                     [&](const ModelLayer& layer) { return layer.net == net; });
}

}  // namespace tessera::lora
