// cuBLASLt as a table of functions, loaded when first needed.
#ifndef TESSERA_KERNELS_CUDA_CUBLASLT_LIBRARY_H_
#define TESSERA_KERNELS_CUDA_CUBLASLT_LIBRARY_H_

#include <cublasLt.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/cuda/shared_library.h"

namespace tessera::kernels::cuda {

// The functions in use, by the names and types of cublasLt.h. Immutable.
struct CublasLtLibrary {
  explicit CublasLtLibrary(SharedLibrary loaded) : library(std::move(loaded)) {}

  SharedLibrary library;
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtGetVersion) get_version = nullptr;
  decltype(&cublasLtGetStatusName) get_status_name = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) get_heuristic = nullptr;
  decltype(&cublasLtMatmulAlgoCheck) check_algo = nullptr;
  decltype(&cublasLtMatmulAlgoConfigGetAttribute) get_algo_config = nullptr;
  decltype(&cublasLtMatmulDescCreate) create_desc = nullptr;
  decltype(&cublasLtMatmulDescDestroy) destroy_desc = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) set_desc = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) create_layout = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference = nullptr;

  // Returns OK, or INTERNAL with `what` and the status' name.
  absl::Status ToStatus(cublasStatus_t status, const char* what) const;
};

// Loads libcublasLt of the major version this program was compiled against.
// Errors: FAILED_PRECONDITION, naming the library, where the machine has none.
absl::StatusOr<std::unique_ptr<const CublasLtLibrary>> LoadCublasLt();

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_CUBLASLT_LIBRARY_H_
