#include "worker/lora/adapter_file.h"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "worker/lora/layer_names.h"
#include "worker/model/safetensors.h"

namespace tessera::lora {
namespace {

using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;
using model::AdapterLayer;
using model::AdapterNet;

// The largest rank that kernels/ops/lora_gemm.h takes.
constexpr int64_t kMaxRank = 1024;

// The tensors of one layer as found in the file.
struct Halves {
  std::optional<TensorView> down;
  std::optional<TensorView> up;
  std::optional<float> alpha;
};

using Layers = std::map<std::pair<AdapterNet, std::string>, Halves>;

absl::Status Error(const std::string& path, std::string_view what,
                   const std::string& name) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", std::string(what), ": ", name));
}

absl::StatusOr<float> ReadAlpha(const std::string& path, const std::string& key,
                                const TensorView& view) {
  const absl::StatusOr<Tensor> value = kernels::ToF32(view);
  if (!value.ok() || value->shape().elements() != 1 ||
      !std::isfinite(value->f32()[0])) {
    return Error(path, "alpha is not one finite number", key);
  }
  return value->f32()[0];
}

absl::StatusOr<Layers> Collect(const model::Safetensors& file) {
  Layers layers;
  for (const auto& [key, view] : file.index().tensors()) {
    const std::optional<LayerKey> parsed = ParseKey(key);
    if (!parsed.has_value()) {
      return Error(file.path(), "not a key of a low-rank adapter known here",
                   key);
    }
    Halves& halves = layers[{parsed->net, parsed->layer}];
    switch (parsed->part) {
      case Part::kDown:
        if (halves.down) return Error(file.path(), "layer named twice", key);
        halves.down = view;
        break;
      case Part::kUp:
        if (halves.up) return Error(file.path(), "layer named twice", key);
        halves.up = view;
        break;
      case Part::kAlpha:
        if (halves.alpha) return Error(file.path(), "alpha given twice", key);
        ASSIGN_OR_RETURN(halves.alpha, ReadAlpha(file.path(), key, view));
        break;
    }
  }
  return layers;
}

// Returns `view` as f32 of four axes; a linear layer is a window of one.
absl::StatusOr<Tensor> AsConvolution(const TensorView& view,
                                     const std::string& path,
                                     const std::string& layer) {
  const Shape& shape = view.shape;
  const bool linear = shape.rank() == 2;
  if ((!linear && shape.rank() != 4) || shape.elements() == 0) {
    return Error(path, "expected 2 or 4 axes", layer);
  }
  TensorView four = view;
  if (linear) four = view.Reshaped(Shape{shape[0], shape[1], 1, 1});
  return kernels::ToF32(four);
}

absl::StatusOr<AdapterLayer> Pack(const std::string& path, AdapterNet net,
                                  const std::string& name, const Halves& halves,
                                  kernels::Device& device) {
  if (!halves.down || !halves.up) {
    return Error(path, "layer without both its halves", name);
  }
  ASSIGN_OR_RETURN(const Tensor down, AsConvolution(*halves.down, path, name));
  ASSIGN_OR_RETURN(const Tensor up, AsConvolution(*halves.up, path, name));
  const int64_t lora_rank = down.shape()[0];
  if (up.shape()[1] != lora_rank || lora_rank > kMaxRank ||
      up.shape()[2] != 1 || up.shape()[3] != 1) {
    return Error(
        path,
        absl::StrCat("halves do not fit: down ", down.shape().ToString(),
                     ", up ", up.shape().ToString()),
        name);
  }
  AdapterLayer layer{.net = net, .name = name};
  layer.scale = halves.alpha.value_or(static_cast<float>(lora_rank)) /
                static_cast<float>(lora_rank);
  ASSIGN_OR_RETURN(layer.down, kernels::PackConvWeights(device, down.view()));
  ASSIGN_OR_RETURN(layer.up, kernels::PackConvWeights(device, up.view()));
  return layer;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const model::AdapterWeights>> ReadAdapterFile(
    const std::string& path, kernels::Device& device) {
  ASSIGN_OR_RETURN(const model::Safetensors file,
                   model::Safetensors::Open(path));
  ASSIGN_OR_RETURN(const Layers layers, Collect(file));
  if (layers.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": no adapter in the file"));
  }
  auto weights = std::make_shared<model::AdapterWeights>();
  weights->name = path;
  weights->digest = Sha256Hex(file.bytes());
  for (const auto& [key, halves] : layers) {
    ASSIGN_OR_RETURN(AdapterLayer layer,
                     Pack(path, key.first, key.second, halves, device));
    weights->layers.push_back(std::move(layer));
  }
  return weights;
}

}  // namespace tessera::lora
