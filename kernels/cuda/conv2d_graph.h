// A convolution as a graph of cuDNN: which engines offer it, and plans of them.
#ifndef TESSERA_KERNELS_CUDA_CONV2D_GRAPH_H_
#define TESSERA_KERNELS_CUDA_CONV2D_GRAPH_H_

#include <cudnn_graph.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/cuda/conv2d_choice.h"
#include "kernels/cuda/cudnn_descriptor.h"
#include "kernels/cuda/cudnn_library.h"

namespace tessera::kernels::cuda {

// Whom a graph is for: a device that is there, by the library's handle, or one
// that is only described.
class CudnnTarget {
 public:
  // Is the handle's device.
  explicit CudnnTarget(cudnnHandle_t handle);

  // Is a device described by the JSON text that cuDNN itself gives of one.
  // Errors: INTERNAL when the library refuses it.
  static absl::StatusOr<CudnnTarget> Described(const CudnnLibrary& library,
                                               const std::string& json);

  // Tells a descriptor the handle where there is one, otherwise the
  // description, by whichever attribute it has for it.
  void SetIn(CudnnDescriptor& descriptor,
             const cudnnBackendAttributeName_t* handle_attribute,
             const cudnnBackendAttributeName_t* description_attribute) const;

 private:
  cudnnHandle_t handle_ = nullptr;
  std::unique_ptr<CudnnDescriptor> description_;
};

// Numbers of the tensors in a graph, for binding memory.
inline constexpr int64_t kConvInput = 1;
inline constexpr int64_t kConvWeights = 2;
inline constexpr int64_t kConvBias = 3;
inline constexpr int64_t kConvOut = 4;

// A plan of one engine for one number of pictures, and what it refers to; its
// graph must outlive it.
struct Conv2dPlan {
  std::vector<CudnnDescriptor> parts;
  CudnnDescriptor plan;
  int64_t workspace_bytes = 0;
};

// out = conv(input) (+ bias) for `n` pictures, NHWC, f32 sums, weights [cout,
// kh, kw, cin]. Immutable; the library and target must outlive it.
class Conv2dGraph {
 public:
  // Describes the layer. Errors: UNIMPLEMENTED, INTERNAL from the library.
  static absl::StatusOr<std::unique_ptr<Conv2dGraph>> Create(
      const CudnnLibrary& library, const CudnnTarget& target,
      const Conv2dKey& key, int64_t n);

  // Returns the library's engines for the graph, best first, whatever they do.
  absl::StatusOr<std::vector<EngineChoice>> Suggestions(
      cudnnBackendHeurMode_t mode) const;

  // Returns the numerical notes of an engine.
  absl::StatusOr<std::vector<int>> NotesOf(const EngineChoice& choice) const;

  // Makes a plan of an engine. Errors: UNIMPLEMENTED where the engine cannot.
  absl::StatusOr<Conv2dPlan> Plan(const EngineChoice& choice) const;

 private:
  Conv2dGraph(const CudnnLibrary& library, const CudnnTarget& target);
  absl::Status Describe(const Conv2dKey& key, int64_t n);
  absl::StatusOr<CudnnDescriptor> Engine(const EngineChoice& choice) const;

  const CudnnLibrary& library_;
  const CudnnTarget& target_;
  // What the graph refers to lives as long as it does.
  std::vector<CudnnDescriptor> parts_;
  std::unique_ptr<CudnnDescriptor> graph_;
};

// Returns the engine and settings for a layer: the first of the library's
// suggestions for `n` pictures that is exact enough, splits no sum and has
// plans for 1, 2 and `n` pictures. Errors: UNIMPLEMENTED when there is none.
absl::StatusOr<EngineChoice> ChooseEngine(const CudnnLibrary& library,
                                          const CudnnTarget& target,
                                          const Conv2dKey& key, int64_t n);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_CONV2D_GRAPH_H_
