#include "kernels/cuda/conv2d_graph.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::kernels::cuda {
namespace {

// More than the library has ever offered for one graph.
constexpr int64_t kMaxSuggestions = 128;
constexpr int64_t kMaxNotes = CUDNN_NUMERICAL_NOTE_TYPE_COUNT;
constexpr int64_t kMaxKnobs = CUDNN_KNOB_TYPE_COUNTS;

// Is what the arena and the weights are aligned to at least.
constexpr int64_t kAlignmentBytes = 16;

// Names an element type as cuDNN does.
cudnnDataType_t DataType(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return CUDNN_DATA_HALF;
    case DType::kBF16:
      return CUDNN_DATA_BFLOAT16;
    default:
      return CUDNN_DATA_FLOAT;
  }
}

// Describes a tensor [n, c, h, w] whose channels lie side by side; a virtual
// one exists between two operations only.
CudnnDescriptor Tensor(const CudnnLibrary& library, int64_t id,
                       cudnnDataType_t type, int64_t n, int64_t c, int64_t h,
                       int64_t w, bool is_virtual) {
  CudnnDescriptor tensor(library, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.Set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type)
      .SetInts(CUDNN_ATTR_TENSOR_DIMENSIONS, {n, c, h, w})
      .SetInts(CUDNN_ATTR_TENSOR_STRIDES, {h * w * c, 1, w * c, c})
      .SetInts(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id})
      .SetInts(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {kAlignmentBytes})
      .Set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, is_virtual);
  return tensor;
}

// Describes how the kernel moves over the picture.
CudnnDescriptor Convolution(const CudnnLibrary& library, const Conv2dKey& key) {
  CudnnDescriptor conv(library, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  conv.SetInts(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2})
      .Set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE,
           CUDNN_DATA_FLOAT)
      .Set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
           CUDNN_CROSS_CORRELATION)
      .SetInts(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {key.top, key.left})
      .SetInts(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {key.bottom, key.right})
      .SetInts(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1, 1})
      .SetInts(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {key.stride, key.stride});
  return conv;
}

// Are the attributes by which descriptors know their device. The two handles
// are marked as deprecated for targets that are described, so their numbers
// stand here; with a handle they are the way.
constexpr cudnnBackendAttributeName_t kGraphHandle =
    static_cast<cudnnBackendAttributeName_t>(800);
constexpr cudnnBackendAttributeName_t kHeuristicDescription =
    CUDNN_ATTR_ENGINEHEUR_DEVICEPROP;
constexpr cudnnBackendAttributeName_t kEngineDescription =
    CUDNN_ATTR_ENGINE_DEVICEPROP;
constexpr cudnnBackendAttributeName_t kPlanHandle =
    static_cast<cudnnBackendAttributeName_t>(400);
constexpr cudnnBackendAttributeName_t kPlanDescription =
    CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP;

}  // namespace

CudnnTarget::CudnnTarget(cudnnHandle_t handle) : handle_(handle) {}

absl::StatusOr<CudnnTarget> CudnnTarget::Described(const CudnnLibrary& library,
                                                   const std::string& json) {
  CudnnTarget target(nullptr);
  target.description_ = std::make_unique<CudnnDescriptor>(
      library, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  // The library reads up to the final zero.
  target.description_->Set(
      CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
      std::span<const char>(json.c_str(), json.size() + 1));
  RETURN_IF_ERROR(target.description_->Finalize());
  return target;
}

void CudnnTarget::SetIn(
    CudnnDescriptor& descriptor,
    const cudnnBackendAttributeName_t* handle_attribute,
    const cudnnBackendAttributeName_t* description_attribute) const {
  if (handle_ != nullptr && handle_attribute != nullptr) {
    descriptor.Set(*handle_attribute, CUDNN_TYPE_HANDLE, handle_);
  }
  if (description_ != nullptr && description_attribute != nullptr) {
    descriptor.SetDescriptor(*description_attribute, *description_);
  }
}

Conv2dGraph::Conv2dGraph(const CudnnLibrary& library, const CudnnTarget& target)
    : library_(library), target_(target) {}

absl::StatusOr<std::unique_ptr<Conv2dGraph>> Conv2dGraph::Create(
    const CudnnLibrary& library, const CudnnTarget& target,
    const Conv2dKey& key, int64_t n) {
  std::unique_ptr<Conv2dGraph> graph(new Conv2dGraph(library, target));
  RETURN_IF_ERROR(graph->Describe(key, n));
  return graph;
}

// The bias, where there is one, is added to the f32 sums, and the result is
// rounded once. No precompiled engine takes a bias of another type than the
// result's.
absl::Status Conv2dGraph::Describe(const Conv2dKey& key, int64_t n) {
  constexpr int64_t kSums = 5;  // the number of the virtual tensor
  const cudnnDataType_t type = DataType(key.dtype);
  parts_.push_back(Tensor(library_, kConvInput, type, n, key.input_channels,
                          key.height, key.width, false));
  parts_.push_back(Tensor(library_, kConvWeights, type, key.output_channels,
                          key.input_channels, key.kernel_height,
                          key.kernel_width, false));
  parts_.push_back(Tensor(library_, kConvOut, type, n, key.output_channels,
                          key.out_height(), key.out_width(), false));
  parts_.push_back(Tensor(library_, kSums, CUDNN_DATA_FLOAT, n,
                          key.output_channels, key.out_height(),
                          key.out_width(), true));
  parts_.push_back(
      Tensor(library_, kConvBias, type, 1, key.output_channels, 1, 1, false));
  parts_.push_back(Convolution(library_, key));
  parts_.emplace_back(library_, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  parts_.back()
      .Set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE,
           CUDNN_POINTWISE_ADD)
      .Set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE,
           CUDNN_DATA_FLOAT);
  for (CudnnDescriptor& part : parts_) RETURN_IF_ERROR(part.Finalize());
  enum { kX, kW, kY, kZ, kB, kConv, kAdd };

  std::vector<CudnnDescriptor> operations;
  operations.emplace_back(
      library_, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  operations.back()
      .SetDescriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, parts_[kX])
      .SetDescriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, parts_[kW])
      .SetDescriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                     parts_[key.bias ? kZ : kY])
      .SetDescriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                     parts_[kConv])
      .Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT,
           1.0f)
      .Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT,
           0.0f);
  if (key.bias) {
    operations.emplace_back(library_,
                            CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operations.back()
        .SetDescriptor(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
                       parts_[kAdd])
        .SetDescriptor(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, parts_[kZ])
        .SetDescriptor(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, parts_[kB])
        .SetDescriptor(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, parts_[kY]);
  }
  for (CudnnDescriptor& operation : operations) {
    RETURN_IF_ERROR(operation.Finalize());
  }
  graph_ = std::make_unique<CudnnDescriptor>(
      library_, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph_->SetDescriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
  target_.SetIn(*graph_, &kGraphHandle, nullptr);
  RETURN_IF_ERROR(graph_->Finalize());
  for (CudnnDescriptor& operation : operations) {
    parts_.push_back(std::move(operation));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<EngineChoice>> Conv2dGraph::Suggestions(
    cudnnBackendHeurMode_t mode) const {
  CudnnDescriptor heuristic(library_, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.SetDescriptor(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, *graph_)
      .Set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
  target_.SetIn(heuristic, nullptr, &kHeuristicDescription);
  RETURN_IF_ERROR(heuristic.Finalize());
  ASSIGN_OR_RETURN(const std::vector<CudnnDescriptor> configs,
                   heuristic.GetDescriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                            CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                                            kMaxSuggestions));
  std::vector<EngineChoice> choices;
  for (const CudnnDescriptor& config : configs) {
    ASSIGN_OR_RETURN(const std::vector<CudnnDescriptor> engines,
                     config.GetDescriptors(CUDNN_ATTR_ENGINECFG_ENGINE,
                                           CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1));
    if (engines.empty()) continue;
    EngineChoice choice;
    ASSIGN_OR_RETURN(choice.engine,
                     engines.front().GetInt(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
    ASSIGN_OR_RETURN(
        const std::vector<CudnnDescriptor> knobs,
        config.GetDescriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                              CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, kMaxKnobs));
    for (const CudnnDescriptor& knob : knobs) {
      ASSIGN_OR_RETURN(
          const std::vector<cudnnBackendKnobType_t> type,
          knob.Get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE,
                                           CUDNN_TYPE_KNOB_TYPE, 1));
      ASSIGN_OR_RETURN(const int64_t value,
                       knob.GetInt(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
      if (!type.empty()) {
        choice.knobs.push_back({static_cast<int64_t>(type.front()), value});
      }
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

absl::StatusOr<CudnnDescriptor> Conv2dGraph::Engine(
    const EngineChoice& choice) const {
  CudnnDescriptor engine(library_, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  engine.SetDescriptor(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, *graph_)
      .SetInts(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, {choice.engine});
  target_.SetIn(engine, nullptr, &kEngineDescription);
  RETURN_IF_ERROR(engine.Finalize());
  return engine;
}

absl::StatusOr<std::vector<int>> Conv2dGraph::NotesOf(
    const EngineChoice& choice) const {
  ASSIGN_OR_RETURN(const CudnnDescriptor engine, Engine(choice));
  ASSIGN_OR_RETURN(const std::vector<cudnnBackendNumericalNote_t> notes,
                   engine.Get<cudnnBackendNumericalNote_t>(
                       CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                       CUDNN_TYPE_NUMERICAL_NOTE, kMaxNotes));
  return std::vector<int>(notes.begin(), notes.end());
}

absl::StatusOr<Conv2dPlan> Conv2dGraph::Plan(const EngineChoice& choice) const {
  std::vector<CudnnDescriptor> parts;
  for (const EngineKnob& knob : choice.knobs) {
    parts.emplace_back(library_, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    parts.back()
        .Set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE,
             static_cast<cudnnBackendKnobType_t>(knob.type))
        .SetInts(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, {knob.value});
    RETURN_IF_ERROR(parts.back().Finalize());
  }
  ASSIGN_OR_RETURN(CudnnDescriptor engine, Engine(choice));
  CudnnDescriptor config(library_, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  config.SetDescriptor(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  if (!parts.empty()) {
    config.SetDescriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, parts);
  }
  RETURN_IF_ERROR(config.Finalize());
  CudnnDescriptor plan(library_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.SetDescriptor(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
  target_.SetIn(plan, &kPlanHandle, &kPlanDescription);
  RETURN_IF_ERROR(plan.Finalize());
  ASSIGN_OR_RETURN(const int64_t workspace_bytes,
                   plan.GetInt(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  parts.push_back(std::move(engine));
  parts.push_back(std::move(config));
  return Conv2dPlan{std::move(parts), std::move(plan), workspace_bytes};
}

namespace {

// Whether an engine has a plan for `n` pictures.
bool Serves(const CudnnLibrary& library, const CudnnTarget& target,
            const Conv2dKey& key, int64_t n, const EngineChoice& choice) {
  const absl::StatusOr<std::unique_ptr<Conv2dGraph>> graph =
      Conv2dGraph::Create(library, target, key, n);
  return graph.ok() && (*graph)->Plan(choice).ok();
}

}  // namespace

absl::StatusOr<EngineChoice> ChooseEngine(const CudnnLibrary& library,
                                          const CudnnTarget& target,
                                          const Conv2dKey& key, int64_t n) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Conv2dGraph> graph,
                   Conv2dGraph::Create(library, target, key, n));
  for (const cudnnBackendHeurMode_t mode :
       {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    const absl::StatusOr<std::vector<EngineChoice>> suggestions =
        graph->Suggestions(mode);
    if (!suggestions.ok()) continue;
    for (const EngineChoice& choice : *suggestions) {
      const absl::StatusOr<std::vector<int>> notes = graph->NotesOf(choice);
      if (notes.ok() && IsExactEnough(*notes) && SplitsNoSum(choice) &&
          Serves(library, target, key, n, choice) &&
          Serves(library, target, key, 1, choice) &&
          Serves(library, target, key, 2, choice)) {
        return choice;
      }
    }
  }
  return absl::UnimplementedError(
      absl::StrCat("cuDNN offers no engine that splits no sum, convolution: ",
                   key.ToString()));
}

}  // namespace tessera::kernels::cuda
