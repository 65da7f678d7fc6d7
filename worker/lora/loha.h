// LoHa adapters: the Hadamard product of two low-rank matrices.
#ifndef TESSERA_WORKER_LORA_LOHA_H_
#define TESSERA_WORKER_LORA_LOHA_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/lora/difference.h"
#include "worker/lora/layer_parts.h"

namespace tessera::lora {

// Reads ΔW = alpha / rank · (w1_a w1_b) ∘ (w2_a w2_b) (Hyeon-Woo et al. 2022,
// equation 3): w·_a [outputs, rank], w·_b [rank, inputs · window]. With the
// cores t1 and t2 [rank, rank, kernel, kernel], w·_a is [rank, outputs], w·_b
// [rank, inputs], and each half is the Tucker product of the three
// (lycoris/functional/loha.py).
//
// Errors: INVALID_ARGUMENT for a missing factor, ranks or shapes that
// disagree, alpha 0, and values that are not finite.
absl::StatusOr<std::unique_ptr<const Difference>> ReadLoha(
    const LayerParts& layer);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_LOHA_H_
