// What PEFT's configuration, kept in a file's metadata, says of scales.
#ifndef TESSERA_WORKER_LORA_PEFT_METADATA_H_
#define TESSERA_WORKER_LORA_PEFT_METADATA_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/adapter_weights.h"

namespace tessera::lora {

// The `lora_alpha` of each net of a file written by diffusers, whose tensors
// do not hold it: the metadata entry "lora_adapter_metadata" is the JSON of
// peft.LoraConfig, its names preceded by "unet.", "text_encoder." or
// "text_encoder_2." (diffusers' lora_base.py, LORA_ADAPTER_METADATA_KEY).
class PeftScales {
 public:
  // Reads the metadata of a file; without the entry, nothing is known. Errors:
  // INVALID_ARGUMENT for an entry that is not such a configuration, an alpha
  // that is not finite or 0, or a pattern that is not a layer's name.
  static absl::StatusOr<PeftScales> Read(
      const std::map<std::string, std::string>& metadata);

  // Returns what multiplies the product of a layer's two matrices, alpha /
  // rank, or alpha / sqrt(rank) with rank stabilisation (Kalajdzievski 2023).
  // `layer` is dotted. Returns nothing where the file says nothing.
  std::optional<double> ScaleOf(model::AdapterNet net, const std::string& layer,
                                int64_t lora_rank) const;

 private:
  // The configuration of one net.
  struct Net {
    double alpha = 0;
    // The first that matches counts.
    std::vector<std::pair<std::string, double>> patterns;
    bool rank_stabilised = false;
  };

  std::map<model::AdapterNet, Net> nets_;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_PEFT_METADATA_H_
