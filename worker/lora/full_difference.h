// Full differences of weights and biases, of layers and of norms.
#ifndef TESSERA_WORKER_LORA_FULL_DIFFERENCE_H_
#define TESSERA_WORKER_LORA_FULL_DIFFERENCE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/lora/difference.h"
#include "worker/lora/layer_parts.h"

namespace tessera::lora {

// Reads ΔW = diff, or a bias' or norm's difference likewise: `part` of the
// layer as it stands, without alpha (lycoris/modules/full.py, norms.py). A
// vector is a matrix of one column.
//
// Errors: INVALID_ARGUMENT for a scalar, an empty tensor, and values that are
// not finite.
absl::StatusOr<std::unique_ptr<const Difference>> ReadFullDifference(
    const LayerParts& layer, Part part);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_FULL_DIFFERENCE_H_
