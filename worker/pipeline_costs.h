// What the planner is told of a model.
#ifndef TESSERA_WORKER_PIPELINE_COSTS_H_
#define TESSERA_WORKER_PIPELINE_COSTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/dtype.h"
#include "worker/group_messages.h"

namespace tessera::worker {

// Counts what the pieces of the UNet in a model folder cost at the size that it
// was trained for, for one sample and call, with weights and activations of
// `dtype`. The seconds are multiply-adds at a trillion a second: shares count.
// Errors: as of ReadUNetConfig.
absl::StatusOr<std::vector<PieceFigures>> CountPieceCosts(
    const std::string& model_folder, kernels::DType dtype);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PIPELINE_COSTS_H_
