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
    : device_(model.parts().device),
      unet_(model.parts().unet.table()),
      text_encoder_(&model.parts().text_encoder.table()),
      text_encoder_2_(model.parts().second_text.has_value()
                          ? &model.parts().second_text->encoder.table()
                          : nullptr),
      max_bytes_(max_bytes) {}

AdapterSets::AdapterSets(const LayerTable& unet, kernels::Device& device,
                         int64_t max_bytes)
    : device_(device),
      unet_(unet),
      text_encoder_(nullptr),
      text_encoder_2_(nullptr),
      max_bytes_(max_bytes) {}

absl::StatusOr<std::shared_ptr<const AdapterSet>> AdapterSets::Prepare(
    std::vector<AdapterUse> adapters) {
  adapters = InCanonicalOrder(std::move(adapters));
  AdapterSet set{.key = AdapterSetKey(adapters), .uses = adapters};
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
  ++merges_;
  ASSIGN_OR_RETURN(
      MergedLayers unet,
      MergedLayers::Merge(AdapterNet::kUNet, unet_, adapters, device_));
  MergedLayers text;
  if (text_encoder_ != nullptr) {
    ASSIGN_OR_RETURN(
        text, MergedLayers::Merge(AdapterNet::kTextEncoder, *text_encoder_,
                                  adapters, device_));
  }
  MergedLayers second;
  if (text_encoder_2_ != nullptr) {
    ASSIGN_OR_RETURN(
        second, MergedLayers::Merge(AdapterNet::kTextEncoder2, *text_encoder_2_,
                                    adapters, device_));
  }
  return std::make_shared<const MergedNets>(
      MergedNets{std::move(unet), std::move(text), std::move(second)});
}

// Drops the sets unused longest. The newest stays only if it fits alone.
void AdapterSets::Evict() {
  while (bytes_ > max_bytes_ && !kept_.empty()) {
    bytes_ -= kept_.back()->merged->bytes();
    kept_.pop_back();
  }
}

}  // namespace tessera::model
