// How a model would be cut for a pipeline, for a person.
#ifndef TESSERA_WORKER_PROBE_PLAN_H_
#define TESSERA_WORKER_PROBE_PLAN_H_

#include <string>

#include "absl/status/statusor.h"
#include "kernels/dtype.h"

namespace tessera::worker {

// Returns the table of the pieces of the UNet in a model folder, with weights
// and activations of `dtype`, and the plan for `stages` equal devices, as
// text. Errors: as of ReadUNetConfig; FAILED_PRECONDITION with the reason when
// there is no plan.
absl::StatusOr<std::string> DescribePlan(const std::string& model_folder,
                                         int stages, kernels::DType dtype);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PROBE_PLAN_H_
