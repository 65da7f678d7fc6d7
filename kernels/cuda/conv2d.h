// Convolutions by cuDNN: out = conv(input) + bias + channel_add + residual.
#ifndef TESSERA_KERNELS_CUDA_CONV2D_H_
#define TESSERA_KERNELS_CUDA_CONV2D_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "kernels/cuda/conv2d_choice.h"
#include "kernels/cuda/conv2d_graph.h"
#include "kernels/cuda/cudnn_library.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// One convolution of NHWC pictures; everything in device memory, aligned to 16
// bytes. Absent operands are null.
struct Conv2dParams {
  const void* input = nullptr;    // [n, height, width, input_channels]
  const void* weights = nullptr;  // [output_channels, kh, kw, input_channels]
  const void* bias = nullptr;     // [output_channels]
  const void* channel_add = nullptr;  // [n, output_channels]
  const void* residual = nullptr;     // shape of `out`; not `out` itself
  void* out = nullptr;  // [n, out_height, out_width, output_channels]
  int64_t n = 0;
  // The layer; its `bias` is overwritten, for the operands decide it.
  Conv2dKey layer;
  void* workspace = nullptr;  // kConv2dWorkspaceBytes, one a stream
};

// What a convolution may use besides its operands. Engines that ask for more
// are refused; those chosen so far ask for 570 KB at most.
inline constexpr int64_t kConv2dWorkspaceBytes = int64_t{32} << 20;

// The convolutions of one device. Engines are chosen at first use, one for each
// layer and size of picture whatever the batch. Thread-safe: calls take turns.
class Convolutions {
 public:
  // Loads cuDNN for the current device. Errors: FAILED_PRECONDITION when the
  // library is missing, INTERNAL when it refuses.
  static absl::StatusOr<std::unique_ptr<Convolutions>> Create();
  ~Convolutions();

  Convolutions(const Convolutions&) = delete;
  Convolutions& operator=(const Convolutions&) = delete;

  // Enqueues one convolution. A bias alone is added by the engine to its f32
  // sums; with more to add it and the others are one pass of LaunchEpilogue.
  // The first call for a layer and batch makes plans, which takes up to a
  // second: call Prepare before capturing a graph. Errors: UNIMPLEMENTED when
  // no engine will do, INTERNAL with the call and the layer.
  absl::Status Run(const Conv2dParams& params, cudaStream_t stream);

  // Makes the plan that Run will need, without running.
  absl::Status Prepare(const Conv2dParams& params);

 private:
  Convolutions(std::unique_ptr<const CudnnLibrary> library,
               cudnnHandle_t handle);
  // A layer's graph for one number of pictures, and its plan.
  struct Planned {
    std::unique_ptr<const Conv2dGraph> graph;
    Conv2dPlan plan;
  };

  absl::StatusOr<const Conv2dPlan*> PlanFor(const Conv2dKey& key, int64_t n)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Execute(const Conv2dParams& params, const Conv2dPlan& plan,
                       bool bias, cudaStream_t stream)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::unique_ptr<const CudnnLibrary> library_;
  const cudnnHandle_t handle_;
  const CudnnTarget target_;
  absl::Mutex mu_;
  std::map<Conv2dKey, EngineChoice> choices_ ABSL_GUARDED_BY(mu_);
  std::map<std::pair<Conv2dKey, int64_t>, Planned> plans_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_CONV2D_H_
