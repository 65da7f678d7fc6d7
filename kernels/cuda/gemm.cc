#include "kernels/cuda/gemm.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/cuda/epilogue.h"
#include "kernels/cuda/gemm_timing.h"

namespace tessera::kernels::cuda {
namespace {

// How many candidates the library is asked for: most are refused or slow.
constexpr int kCandidates = 32;

// The rows that plans are ranked by: a few pictures' tokens. A constant, so
// that no batch decides what all others get.
constexpr int64_t kReferenceRows = 4096;

// The rows that a plan must serve: a timestep, a prompt, both prompts, the
// middle and the largest level of a batch.
constexpr int64_t kServedRows[] = {1, 2, 77, 154, 512, 4096, 131072};

// Adds the layer's shape to an error.
absl::Status WithShape(const absl::Status& status, const GemmParams& params) {
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat("gemm: ", std::string(status.message()),
                   ", m n k: ", params.m, " ", params.n, " ", params.k));
}

// Says what a launch reported.
absl::Status ToStatus(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(what, ": ", cudaGetErrorString(error)));
}

// Names the plan that a layer needs.
GemmKey KeyOf(const GemmParams& params) {
  const auto address = [](const void* pointer) {
    return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(pointer));
  };
  const auto size = static_cast<uint64_t>(SizeOf(params.dtype));
  const bool fp8 = params.weight_scales != nullptr;
  const bool fused = params.activation == Activation::kNone;
  const uint64_t pitches =
      static_cast<uint64_t>(params.a_pitch | params.k) * (fp8 ? 1 : size) |
      static_cast<uint64_t>(params.n) * size;
  return {.n = params.n,
          .k = params.k,
          .dtype = params.dtype,
          .bias = fused && params.bias != nullptr,
          .residual = fused && params.residual != nullptr,
          .fp8 = fp8,
          .alignment = AlignmentOf(
              pitches | address(params.a) | address(params.weights) |
              address(params.residual) | address(params.out))};
}

}  // namespace

Gemms::Gemms(std::unique_ptr<const CublasLtLibrary> library,
             cublasLtHandle_t handle, GemmChoice choice, GemmPlans plans)
    : library_(std::move(library)),
      handle_(handle),
      choice_(choice),
      plans_(std::move(plans)) {}

Gemms::~Gemms() { library_->destroy(handle_); }

absl::StatusOr<std::unique_ptr<Gemms>> Gemms::Create(GemmChoice choice,
                                                     const std::string& plans) {
  ASSIGN_OR_RETURN(std::unique_ptr<const CublasLtLibrary> library,
                   LoadCublasLt());
  int device = 0;
  cudaDeviceProp properties;
  RETURN_IF_ERROR(ToStatus(cudaGetDevice(&device), "cudaGetDevice"));
  RETURN_IF_ERROR(ToStatus(cudaGetDeviceProperties(&properties, device),
                           "cudaGetDeviceProperties"));
  cublasLtHandle_t handle = nullptr;
  RETURN_IF_ERROR(
      library->ToStatus(library->create(&handle), "cublasLtCreate"));
  GemmPlans known(properties.name,
                  static_cast<int64_t>(library->get_version()));
  std::unique_ptr<Gemms> gemms(
      new Gemms(std::move(library), handle, choice, std::move(known)));
  absl::MutexLock lock(&gemms->mu_);
  RETURN_IF_ERROR(gemms->plans_.Parse(plans));
  return gemms;
}

absl::StatusOr<GemmAlgorithm> Gemms::Choose(const GemmKey& key) const {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<GemmCall> call,
      GemmCall::Create(*library_, handle_, key, kReferenceRows, key.k));
  ASSIGN_OR_RETURN(std::vector<GemmAlgorithm> candidates,
                   call->Candidates(kCandidates));
  for (const int64_t rows : kServedRows) {
    ASSIGN_OR_RETURN(const std::unique_ptr<GemmCall> served,
                     GemmCall::Create(*library_, handle_, key, rows, key.k));
    std::erase_if(candidates, [&](const GemmAlgorithm& candidate) {
      return !served->Supports(candidate);
    });
  }
  if (candidates.empty()) {
    return absl::UnimplementedError(
        "cuBLASLt offers no algorithm that splits no sum for every batch");
  }
  if (choice_ == GemmChoice::kFirst) return candidates.front();
  return ChooseByTime(*call, key, kReferenceRows, candidates);
}

// Chooses under the lock: two threads may not time on one device at once.
absl::StatusOr<GemmAlgorithm> Gemms::PlanFor(const GemmKey& key) {
  absl::MutexLock lock(&mu_);
  const std::optional<GemmAlgorithm> known = plans_.Find(key);
  if (known.has_value()) return *known;
  ASSIGN_OR_RETURN(const GemmAlgorithm chosen, Choose(key));
  plans_.Remember(key, chosen);
  return chosen;
}

absl::Status Gemms::Prepare(const GemmParams& params) {
  return WithShape(PlanFor(KeyOf(params)).status(), params);
}

absl::Status Gemms::Run(const GemmParams& params, cudaStream_t stream) {
  if (params.m == 0 || params.n == 0) return absl::OkStatus();
  if (params.k < 1) {
    return WithShape(absl::InvalidArgumentError("extents out of range"),
                     params);
  }
  const GemmKey key = KeyOf(params);
  const absl::StatusOr<GemmAlgorithm> algorithm = PlanFor(key);
  if (!algorithm.ok()) return WithShape(algorithm.status(), params);
  const absl::StatusOr<std::unique_ptr<GemmCall>> call =
      GemmCall::Create(*library_, handle_, key, params.m, params.a_pitch);
  if (!call.ok()) return WithShape(call.status(), params);

  RETURN_IF_ERROR(
      WithShape((*call)->Run({.a = params.a,
                              .weights = params.weights,
                              .bias = params.bias,
                              .residual = params.residual,
                              .out = params.out,
                              .workspace = params.workspace,
                              .a_scales = params.a_scales,
                              .weight_scales = params.weight_scales},
                             *algorithm, stream),
                params));
  if (params.activation == Activation::kNone) return absl::OkStatus();
  return WithShape(ToStatus(LaunchEpilogue({.input = params.out,
                                            .bias = params.bias,
                                            .residual = params.residual,
                                            .out = params.out,
                                            .rows = params.m,
                                            .columns = params.n,
                                            .activation = params.activation,
                                            .dtype = params.dtype},
                                           stream),
                            "epilogue"),
                   params);
}

std::string Gemms::FormatPlans() const {
  absl::MutexLock lock(&mu_);
  return plans_.Format();
}

}  // namespace tessera::kernels::cuda
