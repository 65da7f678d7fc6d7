// LoKr adapters: the Kronecker product of two matrices.
#ifndef TESSERA_WORKER_LORA_LOKR_H_
#define TESSERA_WORKER_LORA_LOKR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/lora/difference.h"
#include "worker/lora/layer_parts.h"

namespace tessera::lora {

// Reads ΔW = s · kron(w1, w2) (lycoris/functional/lokr.py): w1 [a, b], w2
// [c, d · window], outputs = a · c, inputs = b · d. Either may be given as a
// product of w·_a [rows, rank] and w·_b [rank, columns]; w2 also with a core t2
// [rank, rank, kernel, kernel], and then w2_a is [rank, c]. s is alpha / rank
// where one of the two is factored, else 1: without a rank alpha means nothing.
//
// Errors: INVALID_ARGUMENT for a missing factor, a matrix given whole and in
// factors, ranks that disagree, alpha 0, and values that are not finite.
absl::StatusOr<std::unique_ptr<const Difference>> ReadLokr(
    const LayerParts& layer);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_LOKR_H_
