// A problem of attention with its operands on the device.
#ifndef TESSERA_TESTS_GPU_ATTENTION_DEVICE_PROBLEM_H_
#define TESSERA_TESTS_GPU_ATTENTION_DEVICE_PROBLEM_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/cuda/attention/params.h"
#include "tests/gpu/machine.h"
#include "tests/kernels/cuda/attention/attention_problem.h"

namespace tessera::kernels::cuda {

// Copies a problem's operands to the device, rows of NaN before and after
// each, and its answers back.
class DeviceProblem {
 public:
  explicit DeviceProblem(const AttentionProblem& problem);

  // Runs the problem once, from a fresh output; returns what was returned, or
  // the error of the kernel itself.
  cudaError_t Run(AttentionVariant variant);

  // Returns the last answer, and puts it into the host's problem too.
  std::vector<uint16_t> Answer();

  AttentionProblem& problem() { return problem_; }
  const AttentionParams& params() const { return params_; }

 private:
  AttentionProblem problem_;
  std::vector<std::unique_ptr<DeviceBuffer>> operands_;
  std::unique_ptr<DeviceBuffer> out_;
  AttentionParams params_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_GPU_ATTENTION_DEVICE_PROBLEM_H_
