#include "kernels/cuda/gemm_timing.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::kernels::cuda {
namespace {

// Runs of a candidate after one that warms up; the median is taken.
constexpr int kRuns = 5;

// Frees device memory and events.
struct Free {
  void operator()(void* memory) const { cudaFree(memory); }
  void operator()(CUevent_st* event) const { cudaEventDestroy(event); }
};
using Memory = std::unique_ptr<void, Free>;
using Event = std::unique_ptr<CUevent_st, Free>;

// Says what the runtime reported.
absl::Status ToStatus(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(what, ": ", cudaGetErrorString(error)));
}

// Allocates zeros: time depends little on values, and zeros are no NaN.
absl::StatusOr<Memory> Allocate(int64_t bytes) {
  void* memory = nullptr;
  if (cudaMalloc(&memory, static_cast<size_t>(bytes)) != cudaSuccess) {
    // The failure is handled here; it must not surface at a later launch.
    (void)cudaGetLastError();
    return absl::ResourceExhaustedError(
        absl::StrCat("gemm timing: no device memory, bytes: ", bytes));
  }
  Memory owner(memory);
  RETURN_IF_ERROR(ToStatus(cudaMemset(memory, 0, static_cast<size_t>(bytes)),
                           "cudaMemset"));
  return owner;
}

// Creates an event of the device's clock.
absl::StatusOr<Event> NewEvent() {
  cudaEvent_t event = nullptr;
  RETURN_IF_ERROR(ToStatus(cudaEventCreate(&event), "cudaEventCreate"));
  return Event(event);
}

// Returns the median time of a candidate in milliseconds.
absl::StatusOr<float> MedianTime(GemmCall& call, const GemmOperands& operands,
                                 const GemmAlgorithm& algorithm) {
  ASSIGN_OR_RETURN(const Event begin, NewEvent());
  ASSIGN_OR_RETURN(const Event end, NewEvent());
  std::array<float, kRuns> times;
  RETURN_IF_ERROR(call.Run(operands, algorithm, nullptr));
  for (float& time : times) {
    RETURN_IF_ERROR(ToStatus(cudaEventRecord(begin.get(), nullptr), "record"));
    RETURN_IF_ERROR(call.Run(operands, algorithm, nullptr));
    RETURN_IF_ERROR(ToStatus(cudaEventRecord(end.get(), nullptr), "record"));
    RETURN_IF_ERROR(ToStatus(cudaEventSynchronize(end.get()), "gemm timing"));
    RETURN_IF_ERROR(ToStatus(
        cudaEventElapsedTime(&time, begin.get(), end.get()), "elapsed time"));
  }
  std::sort(times.begin(), times.end());
  return times[kRuns / 2];
}

}  // namespace

absl::StatusOr<GemmAlgorithm> ChooseByTime(
    GemmCall& call, const GemmKey& key, int64_t m,
    const std::vector<GemmAlgorithm>& candidates) {
  const int64_t size = SizeOf(key.dtype);
  ASSIGN_OR_RETURN(const Memory a, Allocate(m * key.k * size));
  ASSIGN_OR_RETURN(const Memory weights, Allocate(key.n * key.k * size));
  ASSIGN_OR_RETURN(const Memory bias, Allocate(key.n * size));
  ASSIGN_OR_RETURN(const Memory out, Allocate(m * key.n * size));
  ASSIGN_OR_RETURN(const Memory workspace, Allocate(kGemmLibraryBytes));
  // Whatever numbers are there: an 8-bit gemm multiplies rows by them.
  ASSIGN_OR_RETURN(
      const Memory scales,
      Allocate(std::max(m, key.n) * static_cast<int64_t>(sizeof(float))));
  const GemmOperands operands = {
      .a = a.get(),
      .weights = weights.get(),
      .bias = bias.get(),
      .residual = out.get(),
      .out = out.get(),
      .workspace = workspace.get(),
      .a_scales = static_cast<const float*>(scales.get()),
      .weight_scales = static_cast<const float*>(scales.get())};
  GemmAlgorithm best = candidates.front();
  float best_time = std::numeric_limits<float>::infinity();
  for (const GemmAlgorithm& candidate : candidates) {
    ASSIGN_OR_RETURN(const float time, MedianTime(call, operands, candidate));
    if (time < best_time) {
      best_time = time;
      best = candidate;
    }
  }
  return best;
}

}  // namespace tessera::kernels::cuda
