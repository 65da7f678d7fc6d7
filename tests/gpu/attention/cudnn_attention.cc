#include "tests/gpu/attention/cudnn_attention.h"

#include <array>
#include <span>
#include <utility>

#include "common/status_macros.h"

namespace tessera::kernels::cuda {
namespace {

// Numbers of the tensors in the graph, for binding memory.
enum : int64_t { kQ = 1, kK = 2, kV = 3, kO = 4, kScale = 5 };

// Stand here as numbers, for headers before 9.13 lack them.
constexpr auto kOperation = static_cast<cudnnBackendDescriptorType_t>(41);
constexpr auto Attribute(int number) {
  return static_cast<cudnnBackendAttributeName_t>(number);
}
constexpr auto kQuery = Attribute(2800);
constexpr auto kKey = Attribute(2801);
constexpr auto kValue = Attribute(2802);
constexpr auto kOutput = Attribute(2803);
constexpr auto kFactor = Attribute(2805);
// As in conv2d_graph.cc.
constexpr auto kGraphHandle = Attribute(800);
constexpr auto kPlanHandle = Attribute(400);
constexpr auto kHeuristicDescription = CUDNN_ATTR_ENGINEHEUR_DEVICEPROP;
constexpr auto kPlanDescription = CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP;

constexpr int64_t kMaxSuggestions = 32;

// Describes [n, heads, rows, head_dim] in memory [n, rows, heads * head_dim].
CudnnDescriptor Tensor(const CudnnLibrary& library, int64_t id,
                       const CudnnAttentionShape& shape, int64_t rows) {
  const int64_t width = shape.heads * shape.head_dim;
  CudnnDescriptor tensor(library, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor
      .Set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE,
           shape.dtype == DType::kF16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16)
      .SetInts(CUDNN_ATTR_TENSOR_DIMENSIONS,
               {shape.n, shape.heads, rows, shape.head_dim})
      .SetInts(CUDNN_ATTR_TENSOR_STRIDES,
               {rows * width, shape.head_dim, width, 1})
      .SetInts(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id})
      .SetInts(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16});
  return tensor;
}

// Describes the factor of the scores, a number on the host.
CudnnDescriptor Factor(const CudnnLibrary& library) {
  CudnnDescriptor factor(library, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  factor
      .Set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
      .SetInts(CUDNN_ATTR_TENSOR_DIMENSIONS, {1, 1, 1, 1})
      .SetInts(CUDNN_ATTR_TENSOR_STRIDES, {1, 1, 1, 1})
      .SetInts(CUDNN_ATTR_TENSOR_UNIQUE_ID, {kScale})
      .SetInts(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16})
      .Set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, true);
  return factor;
}

}  // namespace

CudnnAttention::CudnnAttention(const CudnnLibrary& library, float scale)
    : library_(library), scale_(scale) {}

absl::StatusOr<std::unique_ptr<CudnnAttention>> CudnnAttention::Create(
    const CudnnLibrary& library, const CudnnTarget& target,
    const CudnnAttentionShape& shape) {
  std::unique_ptr<CudnnAttention> attention(
      new CudnnAttention(library, shape.scale));
  RETURN_IF_ERROR(attention->Describe(target, shape));
  RETURN_IF_ERROR(attention->Plan(target));
  return attention;
}

absl::Status CudnnAttention::Describe(const CudnnTarget& target,
                                      const CudnnAttentionShape& shape) {
  parts_.push_back(Tensor(library_, kQ, shape, shape.queries));
  parts_.push_back(Tensor(library_, kK, shape, shape.keys));
  parts_.push_back(Tensor(library_, kV, shape, shape.keys));
  parts_.push_back(Tensor(library_, kO, shape, shape.queries));
  parts_.push_back(Factor(library_));
  for (CudnnDescriptor& part : parts_) RETURN_IF_ERROR(part.Finalize());

  std::vector<CudnnDescriptor> operations;
  operations.emplace_back(library_, kOperation);
  operations.back()
      .SetDescriptor(kQuery, parts_[0])
      .SetDescriptor(kKey, parts_[1])
      .SetDescriptor(kValue, parts_[2])
      .SetDescriptor(kOutput, parts_[3])
      .SetDescriptor(kFactor, parts_[4]);
  RETURN_IF_ERROR(operations.back().Finalize());
  graph_ = std::make_unique<CudnnDescriptor>(
      library_, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph_->SetDescriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
  target.SetIn(*graph_, &kGraphHandle, nullptr);
  RETURN_IF_ERROR(graph_->Finalize());
  parts_.push_back(std::move(operations.back()));
  return absl::OkStatus();
}

absl::Status CudnnAttention::Plan(const CudnnTarget& target) {
  CudnnDescriptor heuristic(library_, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.SetDescriptor(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, *graph_)
      .Set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A);
  target.SetIn(heuristic, nullptr, &kHeuristicDescription);
  RETURN_IF_ERROR(heuristic.Finalize());
  ASSIGN_OR_RETURN(std::vector<CudnnDescriptor> configs,
                   heuristic.GetDescriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                            CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                                            kMaxSuggestions));
  absl::Status last = absl::UnimplementedError("cuDNN suggests no engine");
  for (CudnnDescriptor& config : configs) {
    auto plan = std::make_unique<CudnnDescriptor>(
        library_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan->SetDescriptor(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    target.SetIn(*plan, &kPlanHandle, &kPlanDescription);
    last = plan->Finalize();
    if (!last.ok()) continue;
    ASSIGN_OR_RETURN(workspace_bytes_,
                     plan->GetInt(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
    plan_ = std::move(plan);
    parts_.push_back(std::move(config));
    return absl::OkStatus();
  }
  return last;
}

absl::Status CudnnAttention::Run(cudnnHandle_t handle, const void* q,
                                 const void* k, const void* v, void* out,
                                 void* workspace, cudaStream_t stream) {
  // The library's interface has no constants; it writes to `out` only.
  const std::array<void*, 5> pointers = {const_cast<void*>(q),
                                         const_cast<void*>(k),
                                         const_cast<void*>(v), out, &scale_};
  CudnnDescriptor pack(library_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.SetInts(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {kQ, kK, kV, kO, kScale})
      .Set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
           std::span<void* const>(pointers))
      .Set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace);
  RETURN_IF_ERROR(pack.Finalize());
  RETURN_IF_ERROR(
      library_.ToStatus(library_.set_stream(handle, stream), "cudnnSetStream"));
  return library_.ToStatus(library_.execute(handle, plan_->get(), pack.get()),
                           "cudnnBackendExecute");
}

}  // namespace tessera::kernels::cuda
