// How a model would be cut for a pipeline, for a person.
#ifndef TESSERA_WORKER_PROBE_PLAN_H_
#define TESSERA_WORKER_PROBE_PLAN_H_

#include <string>

#include "absl/status/statusor.h"
#include "kernels/device.h"

namespace tessera::worker {

// Returns the table of the pieces of the UNet in a model folder on `device`,
// and the plan for `stages` devices like it, as text. Errors: as of
// ReadUNetConfig; FAILED_PRECONDITION with the reason when there is no plan.
absl::StatusOr<std::string> DescribePlan(const std::string& model_folder,
                                         int stages,
                                         const kernels::Device& device);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PROBE_PLAN_H_
