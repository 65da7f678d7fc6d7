// What a LoRA file holds for one layer, before it meets a model.
#ifndef TESSERA_WORKER_LORA_LAYER_ADAPTER_H_
#define TESSERA_WORKER_LORA_LAYER_ADAPTER_H_

#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "worker/lora/difference.h"
#include "worker/lora/dora.h"
#include "worker/lora/layer_parts.h"
#include "worker/lora/low_rank.h"

namespace tessera::lora {

// How an adapter changes a layer.
enum class AdapterKind { kLowRank, kTucker, kLoha, kLokr, kFull, kNorm };

// Returns a kind's name for messages: "LoRA", "LoCon with core", "LoHa",
// "LoKr", "full difference", "norm".
std::string_view KindName(AdapterKind kind);

// One layer's adapter. Borrows the file while low-rank. Move-only.
struct LayerAdapter {
  AdapterKind kind = AdapterKind::kLowRank;
  // Of the weight: one of the two, or neither where only the bias changes.
  std::optional<LowRankFactors> low_rank;
  std::unique_ptr<const Difference> other;
  std::optional<Magnitude> magnitude;  // with DoRA
  std::unique_ptr<const Difference> bias;

  bool changes_weight() const { return low_rank.has_value() || other; }
  // Of the weight's difference, which there must be.
  MatrixShape shape() const {
    return low_rank.has_value() ? low_rank->shape() : other->shape();
  }
};

// Finds out the kind of a layer's adapter and reads it. Errors:
// INVALID_ARGUMENT for parts of two kinds, a magnitude of DoRA alone, and
// those of the kind.
absl::StatusOr<LayerAdapter> ReadLayerAdapter(const LayerParts& layer);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_LAYER_ADAPTER_H_
