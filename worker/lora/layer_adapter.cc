#include "worker/lora/layer_adapter.h"

#include <utility>

#include "common/status_macros.h"
#include "worker/lora/factor.h"
#include "worker/lora/full_difference.h"
#include "worker/lora/loha.h"
#include "worker/lora/lokr.h"

namespace tessera::lora {
namespace {

// Decides by the parts that only one kind has; low-rank is what remains.
AdapterKind KindOf(const LayerParts& layer) {
  for (const auto& [part, tensor] : layer.parts) {
    // Leaves a mixture to CheckParts, which names the part too many.
    if (part == Part::kDown || part == Part::kUp) break;
    if (part >= Part::kLokrW1) return AdapterKind::kLokr;
    if (part >= Part::kHadaW1A) return AdapterKind::kLoha;
    if (part == Part::kNormGain || part == Part::kNormBias) {
      return AdapterKind::kNorm;
    }
    if (part == Part::kDiff) return AdapterKind::kFull;
  }
  // Calls what is left by the rest of its parts.
  if (layer.Has(Part::kMid)) return AdapterKind::kTucker;
  const bool factors = layer.Has(Part::kDown) || layer.Has(Part::kUp);
  if (!factors && layer.Has(Part::kDiffBias)) return AdapterKind::kFull;
  return AdapterKind::kLowRank;
}

// Refuses parts that do not belong to the kind.
absl::Status CheckParts(const LayerParts& layer, AdapterKind kind) {
  switch (kind) {
    case AdapterKind::kLowRank:
    case AdapterKind::kTucker:
      return ExpectOnly(layer,
                        {Part::kDown, Part::kUp, Part::kMid, Part::kAlpha,
                         Part::kMagnitude, Part::kDoraScale, Part::kDiffBias});
    case AdapterKind::kLoha:
      return ExpectOnly(
          layer, {Part::kHadaW1A, Part::kHadaW1B, Part::kHadaW2A,
                  Part::kHadaW2B, Part::kHadaT1, Part::kHadaT2, Part::kAlpha,
                  Part::kMagnitude, Part::kDoraScale, Part::kDiffBias});
    case AdapterKind::kLokr:
      return ExpectOnly(
          layer, {Part::kLokrW1, Part::kLokrW1A, Part::kLokrW1B, Part::kLokrW2,
                  Part::kLokrW2A, Part::kLokrW2B, Part::kLokrT2, Part::kAlpha,
                  Part::kMagnitude, Part::kDoraScale, Part::kDiffBias});
    case AdapterKind::kFull:
      // Trainers write an alpha beside a full difference; it scales nothing.
      return ExpectOnly(layer, {Part::kDiff, Part::kDiffBias, Part::kAlpha});
    case AdapterKind::kNorm:
      return ExpectOnly(layer, {Part::kNormGain, Part::kNormBias});
  }
  return absl::OkStatus();
}

// Reads the difference of the weight.
absl::Status ReadWeight(const LayerParts& layer, LayerAdapter& adapter) {
  switch (adapter.kind) {
    case AdapterKind::kLowRank:
    case AdapterKind::kTucker: {
      ASSIGN_OR_RETURN(adapter.low_rank, ReadLowRank(layer));
      return absl::OkStatus();
    }
    case AdapterKind::kLoha: {
      ASSIGN_OR_RETURN(adapter.other, ReadLoha(layer));
      return absl::OkStatus();
    }
    case AdapterKind::kLokr: {
      ASSIGN_OR_RETURN(adapter.other, ReadLokr(layer));
      return absl::OkStatus();
    }
    case AdapterKind::kFull:
    case AdapterKind::kNorm: {
      const Part part =
          adapter.kind == AdapterKind::kFull ? Part::kDiff : Part::kNormGain;
      if (!layer.Has(part)) return absl::OkStatus();
      ASSIGN_OR_RETURN(adapter.other, ReadFullDifference(layer, part));
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view KindName(AdapterKind kind) {
  switch (kind) {
    case AdapterKind::kLowRank:
      return "LoRA";
    case AdapterKind::kTucker:
      return "LoCon with core";
    case AdapterKind::kLoha:
      return "LoHa";
    case AdapterKind::kLokr:
      return "LoKr";
    case AdapterKind::kFull:
      return "full difference";
    case AdapterKind::kNorm:
      return "norm";
  }
  return "";
}

// Checks the parts before it reads any: a stray part is the better message.
absl::StatusOr<LayerAdapter> ReadLayerAdapter(const LayerParts& layer) {
  LayerAdapter adapter;
  adapter.kind = KindOf(layer);
  RETURN_IF_ERROR(CheckParts(layer, adapter.kind));
  RETURN_IF_ERROR(ReadWeight(layer, adapter));
  // Allows a magnitude beside every factored kind.
  if (layer.Has(Part::kMagnitude) || layer.Has(Part::kDoraScale)) {
    ASSIGN_OR_RETURN(adapter.magnitude, ReadMagnitude(layer));
  }
  for (const Part part : {Part::kDiffBias, Part::kNormBias}) {
    if (!layer.Has(part)) continue;
    ASSIGN_OR_RETURN(adapter.bias, ReadFullDifference(layer, part));
  }
  // Reads an alpha that scales nothing for its errors alone.
  RETURN_IF_ERROR(ReadScale(layer, 1).status());
  return adapter;
}

}  // namespace tessera::lora
