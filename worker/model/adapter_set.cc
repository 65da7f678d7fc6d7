#include "worker/model/adapter_set.h"

#include <algorithm>
#include <utility>

#include "common/status_macros.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/model_parts.h"

namespace tessera::model {
namespace {

// Whether every adapter can be added row by row.
bool AllLowRank(const std::vector<AdapterUse>& adapters) {
  return std::all_of(
      adapters.begin(), adapters.end(),
      [](const AdapterUse& use) { return use.weights->low_rank(); });
}

}  // namespace

bool SameWeights(const AdapterSet& a, const AdapterSet& b) {
  if (a.merged == nullptr || b.merged == nullptr) return a.merged == b.merged;
  return a.key == b.key;
}

AdapterSets::AdapterSets(const TextToImage& model, int64_t max_bytes)
    : model_(model), max_bytes_(max_bytes) {}

absl::StatusOr<std::shared_ptr<const AdapterSet>> AdapterSets::Prepare(
    std::vector<AdapterUse> adapters) {
  adapters = InCanonicalOrder(std::move(adapters));
  AdapterSet set{.key = AdapterSetKey(adapters)};
  if (AllLowRank(adapters)) {
    set.by_row = std::move(adapters);
    return std::make_shared<const AdapterSet>(std::move(set));
  }
  const auto kept =
      std::find_if(kept_.begin(), kept_.end(),
                   [&](const auto& other) { return other->key == set.key; });
  if (kept != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, kept);
    return kept_.front();
  }
  ASSIGN_OR_RETURN(set.merged, Merge(adapters));
  auto prepared = std::make_shared<const AdapterSet>(std::move(set));
  kept_.push_front(prepared);
  bytes_ += prepared->merged->bytes();
  Evict();
  return prepared;
}

absl::StatusOr<std::shared_ptr<const MergedNets>> AdapterSets::Merge(
    const std::vector<AdapterUse>& adapters) {
  const TextToImage::Parts& parts = model_.parts();
  ++merges_;
  ASSIGN_OR_RETURN(MergedLayers unet,
                   MergedLayers::Merge(AdapterNet::kUNet, parts.unet.table(),
                                       adapters, parts.device));
  ASSIGN_OR_RETURN(
      MergedLayers text,
      MergedLayers::Merge(AdapterNet::kTextEncoder, parts.text_encoder.table(),
                          adapters, parts.device));
  return std::make_shared<const MergedNets>(
      MergedNets{std::move(unet), std::move(text)});
}

// Drops the sets unused longest. The newest stays only if it fits alone.
void AdapterSets::Evict() {
  while (bytes_ > max_bytes_ && !kept_.empty()) {
    bytes_ -= kept_.back()->merged->bytes();
    kept_.pop_back();
  }
}

}  // namespace tessera::model
