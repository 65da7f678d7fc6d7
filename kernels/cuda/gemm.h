// Linear layers by cuBLASLt: out = activation(a * weights' + bias) + residual.
#ifndef TESSERA_KERNELS_CUDA_GEMM_H_
#define TESSERA_KERNELS_CUDA_GEMM_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "kernels/cuda/cublaslt_library.h"
#include "kernels/cuda/gemm_call.h"
#include "kernels/cuda/gemm_plans.h"
#include "kernels/dtype.h"
#include "kernels/ops/activation.h"

namespace tessera::kernels::cuda {

// One linear layer on rows; everything in device memory.
struct GemmParams {
  const void* a = nullptr;  // [m, k], rows `a_pitch` elements apart
  int64_t a_pitch = 0;
  const void* weights = nullptr;  // [n, k]
  const void* bias = nullptr;     // [n] or null
  Activation activation = Activation::kNone;
  const void* residual = nullptr;  // [m, n] or null; may be `out`
  void* out = nullptr;             // [m, n]
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  // Where both are given, `a` and weights are E4M3, and the product of a row
  // and a column is multiplied by both their scales; n and k are multiples of
  // 16 then.
  const float* a_scales = nullptr;       // [m]
  const float* weight_scales = nullptr;  // [n]
  DType dtype = DType::kF16;             // f32, f16 or bf16, of all else
  void* workspace = nullptr;             // kGemmWorkspaceBytes, one a stream
};

// What a gemm may use besides its operands.
inline constexpr int64_t kGemmWorkspaceBytes = kGemmLibraryBytes;

// Whether candidates are timed on the device, or the library's first choice is
// taken, which a version of the library always makes alike.
enum class GemmChoice { kFirst, kTimed };

// The linear layers of one device. Plans are made at first use, one for each
// (n, k, dtype, epilogue) whatever the rows; those that split k are refused, so
// that the order of additions is fixed. Thread-safe.
class Gemms {
 public:
  // Loads cuBLASLt for the current device. `plans` is the content of a file
  // that an earlier run formatted, or empty. Errors: FAILED_PRECONDITION when
  // the library is missing, INTERNAL when it refuses, INVALID_ARGUMENT for
  // plans that cannot be read.
  static absl::StatusOr<std::unique_ptr<Gemms>> Create(
      GemmChoice choice, const std::string& plans);
  ~Gemms();

  Gemms(const Gemms&) = delete;
  Gemms& operator=(const Gemms&) = delete;

  // Enqueues one layer. An activation is a pass of LaunchEpilogue over the
  // product, for the library's own GELU is the tanh form; `residual` may then
  // not be `out`. Making a plan by time synchronises the device and may not
  // happen while a graph is captured: call Prepare before. Errors: INTERNAL
  // with the call and its shape, UNIMPLEMENTED when no algorithm will do.
  absl::Status Run(const GemmParams& params, cudaStream_t stream);

  // Makes the plan that Run will need, without running.
  absl::Status Prepare(const GemmParams& params);

  // Returns cuBLASLt's version, such as 130100.
  size_t library_version() const { return library_->get_version(); }

  // Returns all plans, to be kept in a file.
  std::string FormatPlans() const;

 private:
  Gemms(std::unique_ptr<const CublasLtLibrary> library, cublasLtHandle_t handle,
        GemmChoice choice, GemmPlans plans);
  absl::StatusOr<GemmAlgorithm> PlanFor(const GemmKey& key);
  absl::StatusOr<GemmAlgorithm> Choose(const GemmKey& key) const;

  const std::unique_ptr<const CublasLtLibrary> library_;
  const cublasLtHandle_t handle_;
  const GemmChoice choice_;
  mutable absl::Mutex mu_;
  GemmPlans plans_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_GEMM_H_
