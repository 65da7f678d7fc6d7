// One call of cuBLASLt: its descriptors, and what may be asked about it.
#ifndef TESSERA_KERNELS_CUDA_GEMM_CALL_H_
#define TESSERA_KERNELS_CUDA_GEMM_CALL_H_

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/cuda/cublaslt_library.h"
#include "kernels/cuda/gemm_plans.h"

namespace tessera::kernels::cuda {

// The operands of one product, in the types that the key says.
struct GemmOperands {
  const void* a = nullptr;         // [m, k]
  const void* weights = nullptr;   // [n, k]
  const void* bias = nullptr;      // [n], if the key has one
  const void* residual = nullptr;  // [m, n], if the key has one
  void* out = nullptr;             // [m, n]
  void* workspace = nullptr;       // kGemmLibraryBytes
  // Of each row, if the key is of fp8.
  const float* a_scales = nullptr;       // [m]
  const float* weight_scales = nullptr;  // [n]
};

// What the library may use besides the operands. Algorithms that need more are
// refused.
inline constexpr int64_t kGemmLibraryBytes = int64_t{8} << 20;

// The descriptors of out = a weights' (+ bias) (+ residual) for `m` rows. The
// library thinks in columns: it computes out' = weights a' with weights
// transposed, and the bias runs along its rows. Not thread-safe.
class GemmCall {
 public:
  // Describes the product; rows of `a` are `a_pitch` elements apart. Errors:
  // INTERNAL when the library refuses.
  static absl::StatusOr<std::unique_ptr<GemmCall>> Create(
      const CublasLtLibrary& library, cublasLtHandle_t handle,
      const GemmKey& key, int64_t m, int64_t a_pitch);

  // Returns up to `count` algorithms that split no sum, best first. Errors:
  // INTERNAL when the library refuses.
  absl::StatusOr<std::vector<GemmAlgorithm>> Candidates(int count) const;

  // Returns whether the algorithm can compute this product.
  bool Supports(const GemmAlgorithm& algorithm) const;

  // Enqueues the product. Errors: INTERNAL when the library refuses.
  absl::Status Run(const GemmOperands& operands, const GemmAlgorithm& algorithm,
                   cudaStream_t stream);

 private:
  // Frees a descriptor by the library's function for it.
  template <typename Descriptor, typename Destroy>
  struct Free {
    Destroy destroy;
    void operator()(Descriptor* descriptor) const { destroy(descriptor); }
  };
  using Layout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t,
                                 Free<cublasLtMatrixLayoutOpaque_t,
                                      decltype(&cublasLtMatrixLayoutDestroy)>>;
  using Operation = std::unique_ptr<
      cublasLtMatmulDescOpaque_t,
      Free<cublasLtMatmulDescOpaque_t, decltype(&cublasLtMatmulDescDestroy)>>;

  GemmCall(const CublasLtLibrary& library, cublasLtHandle_t handle,
           const GemmKey& key);
  absl::Status SetBias(const void* bias);
  absl::Status Describe(int64_t m, int64_t a_pitch);
  absl::StatusOr<Layout> MakeLayout(cudaDataType_t type, int64_t rows,
                                    int64_t columns, int64_t pitch) const;
  absl::Status SetScales(const float* weights, const float* a);
  bool SplitsSums(const cublasLtMatmulAlgo_t& algorithm) const;

  const CublasLtLibrary& library_;
  cublasLtHandle_t handle_;
  GemmKey key_;
  Operation operation_;
  Layout weights_;
  Layout a_;
  Layout out_;  // of the residual, too
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_GEMM_CALL_H_
