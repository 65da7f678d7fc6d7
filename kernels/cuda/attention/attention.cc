#include "kernels/cuda/attention/attention.h"

#include "kernels/cuda/attention/hopper_attention.h"
#include "kernels/cuda/attention/mma_attention.h"
#include "kernels/cuda/attention/plan.h"
#include "kernels/cuda/attention/row_attention.h"

namespace tessera::kernels::cuda {
namespace {

// Asks the runtime about the current device, into `device`.
cudaError_t Describe(AttentionDevice* device) {
  int ordinal = 0, major = 0, minor = 0, shared = 0;
  cudaError_t error = cudaGetDevice(&ordinal);
  const auto ask = [&](int* value, cudaDeviceAttr attribute) {
    if (error == cudaSuccess) {
      error = cudaDeviceGetAttribute(value, attribute, ordinal);
    }
  };
  ask(&major, cudaDevAttrComputeCapabilityMajor);
  ask(&minor, cudaDevAttrComputeCapabilityMinor);
  ask(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin);
  device->compute_capability = 10 * major + minor;
  device->shared_limit = shared;
  return error;
}

}  // namespace

cudaError_t LaunchAttention(const AttentionParams& params,
                            AttentionVariant variant, cudaStream_t stream) {
  if (!IsValid(params)) return cudaErrorInvalidValue;
  AttentionDevice device;
  const cudaError_t error = Describe(&device);
  if (error != cudaSuccess) return error;
  const AttentionPlan plan = PlanAttention(params, variant, device);
  switch (plan.kernel) {
    case AttentionKernel::kNone:
      return cudaSuccess;
    case AttentionKernel::kMma:
      return LaunchMmaAttention(plan.shape, params, stream);
    case AttentionKernel::kHopper:
      return LaunchHopperAttention(plan.shape, params, stream);
    case AttentionKernel::kRow:
      return LaunchRowAttention(params, stream);
  }
  return cudaErrorInvalidValue;
}

cudaError_t LaunchMmaAttention(int shape, const AttentionParams& params,
                               cudaStream_t stream) {
  const int head_dim = kMmaShapes[shape].head_dim;
  if (head_dim <= 64) return LaunchMmaAttentionTo64(shape, params, stream);
  if (head_dim <= 96) return LaunchMmaAttentionTo96(shape, params, stream);
  if (head_dim <= 160) return LaunchMmaAttentionTo160(shape, params, stream);
  return LaunchMmaAttentionTo512(shape, params, stream);
}

}  // namespace tessera::kernels::cuda
