// cuDNN's own fused attention, to measure ours against.
#ifndef TESSERA_TESTS_GPU_ATTENTION_CUDNN_ATTENTION_H_
#define TESSERA_TESTS_GPU_ATTENTION_CUDNN_ATTENTION_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/cuda/conv2d_graph.h"
#include "kernels/cuda/cudnn_descriptor.h"
#include "kernels/cuda/cudnn_library.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// One attention without a mask: heads of a row lie side by side, as our kernels
// read them.
struct CudnnAttentionShape {
  int64_t n = 0;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t heads = 0;
  int64_t head_dim = 0;  // a multiple of 8
  float scale = 1;
  DType dtype = DType::kF16;  // or bf16
};

// A plan of cuDNN's operation for scaled dot-product attention, which the
// library has since 9.13. Thread-compatible; the library must outlive it.
class CudnnAttention {
 public:
  // Plans with the engine that the library suggests first and that will do.
  // Errors: UNIMPLEMENTED where none will, INTERNAL from the library.
  static absl::StatusOr<std::unique_ptr<CudnnAttention>> Create(
      const CudnnLibrary& library, const CudnnTarget& target,
      const CudnnAttentionShape& shape);

  int64_t workspace_bytes() const { return workspace_bytes_; }

  // Enqueues q [n, queries, heads * head_dim] and k and v [n, keys, ...] into
  // `out`, all in device memory; `workspace` has workspace_bytes().
  absl::Status Run(cudnnHandle_t handle, const void* q, const void* k,
                   const void* v, void* out, void* workspace,
                   cudaStream_t stream);

 private:
  CudnnAttention(const CudnnLibrary& library, float scale);
  absl::Status Describe(const CudnnTarget& target,
                        const CudnnAttentionShape& shape);
  absl::Status Plan(const CudnnTarget& target);

  const CudnnLibrary& library_;
  float scale_;
  // What the graph and the plan refer to lives as long as they do.
  std::vector<CudnnDescriptor> parts_;
  std::unique_ptr<CudnnDescriptor> graph_;
  std::unique_ptr<CudnnDescriptor> plan_;
  int64_t workspace_bytes_ = 0;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_GPU_ATTENTION_CUDNN_ATTENTION_H_
