// A low-rank adapter as a change of the whole matrix.
#ifndef TESSERA_WORKER_MODEL_LOW_RANK_CHANGE_H_
#define TESSERA_WORKER_MODEL_LOW_RANK_CHANGE_H_

#include <span>

#include "absl/status/status.h"
#include "worker/model/adapter_weights.h"

namespace tessera::model {

// Adds strength · scale · up · down to `sum` [outputs, inputs, kernel, kernel],
// row-major: what the layer's two small matrices come to when they are
// multiplied out. Errors: what is wrong with the device that holds them.
absl::Status AddLowRank(const AdapterLayer& layer, double strength,
                        std::span<double> sum);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_LOW_RANK_CHANGE_H_
