// Choosing among algorithms of a linear layer by the clock of the device.
#ifndef TESSERA_KERNELS_CUDA_GEMM_TIMING_H_
#define TESSERA_KERNELS_CUDA_GEMM_TIMING_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/cuda/gemm_call.h"
#include "kernels/cuda/gemm_plans.h"

namespace tessera::kernels::cuda {

// Returns the fastest of `candidates`, at least one, for `m` rows, by the
// median of a few runs on operands of its own. Synchronises the device. Errors:
// RESOURCE_EXHAUSTED when the operands find no memory, INTERNAL when a run
// fails.
absl::StatusOr<GemmAlgorithm> ChooseByTime(
    GemmCall& call, const GemmKey& key, int64_t m,
    const std::vector<GemmAlgorithm>& candidates);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_GEMM_TIMING_H_
