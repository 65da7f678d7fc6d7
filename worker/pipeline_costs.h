// What the planner is told of a model.
#ifndef TESSERA_WORKER_PIPELINE_COSTS_H_
#define TESSERA_WORKER_PIPELINE_COSTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/device.h"
#include "worker/group_messages.h"

namespace tessera::worker {

// Counts what the pieces of the UNet in a model folder cost on `device` at the
// size that the UNet was trained for, for one sample and call. The seconds are
// multiply-adds at a usual speed of such a device: their shares are good, and
// they compare with transfers. Errors: as of ReadUNetConfig.
absl::StatusOr<std::vector<PieceFigures>> CountPieceCosts(
    const std::string& model_folder, const kernels::Device& device);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PIPELINE_COSTS_H_
