// DoRA: a difference of the direction, and a magnitude of its own.
#ifndef TESSERA_WORKER_LORA_DORA_H_
#define TESSERA_WORKER_LORA_DORA_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/lora/difference.h"
#include "worker/lora/layer_parts.h"
#include "worker/model/weight_change.h"

namespace tessera::lora {

// The magnitudes of a layer, and along which axis they stand.
struct Magnitude {
  kernels::Tensor values;  // [extent of the axis]
  bool by_input = false;   // one an input instead of one an output
};

// Reads the magnitudes of a layer: those of PEFT are of the outputs whatever
// their shape; a `dora_scale` of shape [1, n, …] is of the inputs
// (wd_on_out=False in LyCORIS, norm_output_axis=False in OneTrainer). Errors:
// INVALID_ARGUMENT for more than one axis with extent, and values that are not
// finite.
absl::StatusOr<Magnitude> ReadMagnitude(const LayerParts& layer);

// Makes the change W' = m · (W + s ΔW) / ‖W + s ΔW‖ (Liu et al. 2024,
// equation 5), where s is the strength, which therefore scales ΔW alone, as in
// PEFT (peft/tuners/lora/dora.py). The norm runs over all elements of an
// output, or of an input. A W + s ΔW of norm 0 stays 0. At strength 0 nothing
// changes. `window` is the number of elements of the layer's kernel.
std::shared_ptr<const model::WeightChange> MakeDora(
    std::unique_ptr<const Difference> difference, Magnitude magnitude,
    int64_t window);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_DORA_H_
