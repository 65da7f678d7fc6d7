// Sets of adapters, ready to be applied.
#ifndef TESSERA_WORKER_MODEL_ADAPTER_SET_H_
#define TESSERA_WORKER_MODEL_ADAPTER_SET_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/merged_layers.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// All nets with one set merged in; of one that the model lacks it is empty.
struct MergedNets {
  MergedLayers unet;
  MergedLayers text_encoder;
  MergedLayers text_encoder_2;

  int64_t bytes() const {
    return unet.bytes() + text_encoder.bytes() + text_encoder_2.bytes();
  }
};

// What a picture's adapters come to. A set of low-rank adapters is added row
// by row beside the model's own weights; a set with any other kind is merged
// into weights of its own. Which it is depends on the set alone. Immutable.
struct AdapterSet {
  std::string key;                 // two sets with one key add the same
  std::vector<AdapterUse> uses;    // all of it, canonical
  std::vector<AdapterUse> by_row;  // canonical; empty for a merged set
  std::shared_ptr<const MergedNets> merged;  // null: by row
};

// Whether pictures of the two sets run by the same weights, so that one UNet
// call may serve both.
bool SameWeights(const AdapterSet& a, const AdapterSet& b);

// Prepares sets and keeps the merged ones that were used last. Those that
// pictures hold live on whatever the bound. Thread-compatible. Borrows the
// model.
class AdapterSets {
 public:
  // Keeps merged weights of up to `max_bytes`.
  AdapterSets(const TextToImage& model, int64_t max_bytes);
  // Does so for layers of a UNet alone.
  AdapterSets(const LayerTable& unet, kernels::Device& device,
              int64_t max_bytes);

  // Returns the set of `adapters`, given in any order, which passed
  // TextToImage::Validate. Errors: those of packing.
  absl::StatusOr<std::shared_ptr<const AdapterSet>> Prepare(
      std::vector<AdapterUse> adapters);

  // Bytes of merged weights kept, and how many sets were merged so far.
  int64_t bytes() const { return bytes_; }
  int64_t merges() const { return merges_; }

 private:
  absl::StatusOr<std::shared_ptr<const MergedNets>> Merge(
      const std::vector<AdapterUse>& adapters);
  void Evict();

  kernels::Device& device_;
  const LayerTable& unet_;
  const LayerTable* const text_encoder_;    // null: there is none
  const LayerTable* const text_encoder_2_;  // null: there is none
  const int64_t max_bytes_;
  std::list<std::shared_ptr<const AdapterSet>> kept_;  // last used first
  int64_t bytes_ = 0;
  int64_t merges_ = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_ADAPTER_SET_H_
