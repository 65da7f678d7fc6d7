#include "kernels/cuda/conv2d.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/cuda/epilogue.h"

namespace tessera::kernels::cuda {
namespace {

// The pictures that engines are chosen for: a micro-batch with guidance. A
// constant, so that no batch decides what all others get.
constexpr int64_t kReferencePictures = 8;

// Adds the layer to an error.
absl::Status WithLayer(const absl::Status& status, const Conv2dParams& params) {
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat("conv2d: ", std::string(status.message()),
                   ", pictures: ", params.n, " of ", params.layer.ToString()));
}

// Says what a launch reported.
absl::Status ToStatus(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(what, ": ", cudaGetErrorString(error)));
}

// Returns the layer that cuDNN computes: a bias alone is its engine's affair.
Conv2dKey KeyOf(const Conv2dParams& params) {
  Conv2dKey key = params.layer;
  key.bias = params.bias != nullptr && params.channel_add == nullptr &&
             params.residual == nullptr;
  return key;
}

}  // namespace

Convolutions::Convolutions(std::unique_ptr<const CudnnLibrary> library,
                           cudnnHandle_t handle)
    : library_(std::move(library)), handle_(handle), target_(handle) {}

// Plans go before the handle they were made with.
Convolutions::~Convolutions() {
  {
    absl::MutexLock lock(&mu_);
    plans_.clear();
  }
  library_->destroy(handle_);
}

absl::StatusOr<std::unique_ptr<Convolutions>> Convolutions::Create() {
  ASSIGN_OR_RETURN(std::unique_ptr<const CudnnLibrary> library, LoadCudnn());
  cudnnHandle_t handle = nullptr;
  RETURN_IF_ERROR(library->ToStatus(library->create(&handle), "cudnnCreate"));
  return std::unique_ptr<Convolutions>(
      new Convolutions(std::move(library), handle));
}

absl::StatusOr<const Conv2dPlan*> Convolutions::PlanFor(const Conv2dKey& key,
                                                        int64_t n) {
  const auto known = plans_.find({key, n});
  if (known != plans_.end()) return &known->second.plan;
  auto choice = choices_.find(key);
  if (choice == choices_.end()) {
    ASSIGN_OR_RETURN(EngineChoice chosen,
                     ChooseEngine(*library_, target_, key, kReferencePictures));
    choice = choices_.emplace(key, std::move(chosen)).first;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<const Conv2dGraph> graph,
                   Conv2dGraph::Create(*library_, target_, key, n));
  ASSIGN_OR_RETURN(Conv2dPlan plan, graph->Plan(choice->second));
  if (plan.workspace_bytes > kConv2dWorkspaceBytes) {
    return absl::UnimplementedError(
        absl::StrCat(choice->second.ToString(),
                     " asks for workspace, bytes: ", plan.workspace_bytes));
  }
  return &plans_
              .emplace(std::make_pair(key, n),
                       Planned{std::move(graph), std::move(plan)})
              .first->second.plan;
}

absl::Status Convolutions::Prepare(const Conv2dParams& params) {
  absl::MutexLock lock(&mu_);
  return WithLayer(PlanFor(KeyOf(params), params.n).status(), params);
}

absl::Status Convolutions::Execute(const Conv2dParams& params,
                                   const Conv2dPlan& plan, bool bias,
                                   cudaStream_t stream) {
  std::vector<int64_t> ids = {kConvInput, kConvWeights, kConvOut};
  // The library's interface has no constants; it writes to `out` only.
  std::vector<void*> pointers = {const_cast<void*>(params.input),
                                 const_cast<void*>(params.weights), params.out};
  if (bias) {
    ids.push_back(kConvBias);
    pointers.push_back(const_cast<void*>(params.bias));
  }
  CudnnDescriptor pack(*library_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.SetInts(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
      .Set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
           std::span<void* const>(pointers))
      .Set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR,
           params.workspace);
  RETURN_IF_ERROR(pack.Finalize());
  RETURN_IF_ERROR(library_->ToStatus(library_->set_stream(handle_, stream),
                                     "cudnnSetStream"));
  return library_->ToStatus(
      library_->execute(handle_, plan.plan.get(), pack.get()),
      "cudnnBackendExecute");
}

absl::Status Convolutions::Run(const Conv2dParams& params,
                               cudaStream_t stream) {
  if (params.n == 0) return absl::OkStatus();
  const Conv2dKey key = KeyOf(params);
  {
    absl::MutexLock lock(&mu_);
    const absl::StatusOr<const Conv2dPlan*> plan = PlanFor(key, params.n);
    if (!plan.ok()) return WithLayer(plan.status(), params);
    RETURN_IF_ERROR(
        WithLayer(Execute(params, **plan, key.bias, stream), params));
  }
  const bool finished =
      key.bias || (params.bias == nullptr && params.channel_add == nullptr &&
                   params.residual == nullptr);
  if (finished) return absl::OkStatus();
  const int64_t picture_rows = key.out_height() * key.out_width();
  return WithLayer(ToStatus(LaunchEpilogue({.input = params.out,
                                            .bias = params.bias,
                                            .channel_add = params.channel_add,
                                            .residual = params.residual,
                                            .out = params.out,
                                            .rows = params.n * picture_rows,
                                            .columns = key.output_channels,
                                            .picture_rows = picture_rows,
                                            .dtype = key.dtype},
                                           stream),
                            "epilogue"),
                   params);
}

}  // namespace tessera::kernels::cuda
