#include "kernels/cuda/cublaslt_library.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::kernels::cuda {

absl::Status CublasLtLibrary::ToStatus(cublasStatus_t status,
                                       const char* what) const {
  if (status == CUBLAS_STATUS_SUCCESS) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(what, ": ", get_status_name(status)));
}

absl::StatusOr<std::unique_ptr<const CublasLtLibrary>> LoadCublasLt() {
  const std::string name = absl::StrCat("libcublasLt.so.", CUBLAS_VER_MAJOR);
  ASSIGN_OR_RETURN(SharedLibrary loaded, SharedLibrary::Open(name));
  auto table = std::make_unique<CublasLtLibrary>(std::move(loaded));
  const SharedLibrary& library = table->library;
  RETURN_IF_ERROR(library.Find("cublasLtCreate", table->create));
  RETURN_IF_ERROR(library.Find("cublasLtDestroy", table->destroy));
  RETURN_IF_ERROR(library.Find("cublasLtGetVersion", table->get_version));
  RETURN_IF_ERROR(
      library.Find("cublasLtGetStatusName", table->get_status_name));
  RETURN_IF_ERROR(library.Find("cublasLtMatmul", table->matmul));
  RETURN_IF_ERROR(
      library.Find("cublasLtMatmulAlgoGetHeuristic", table->get_heuristic));
  RETURN_IF_ERROR(library.Find("cublasLtMatmulAlgoCheck", table->check_algo));
  RETURN_IF_ERROR(library.Find("cublasLtMatmulAlgoConfigGetAttribute",
                               table->get_algo_config));
  RETURN_IF_ERROR(library.Find("cublasLtMatmulDescCreate", table->create_desc));
  RETURN_IF_ERROR(
      library.Find("cublasLtMatmulDescDestroy", table->destroy_desc));
  RETURN_IF_ERROR(
      library.Find("cublasLtMatmulDescSetAttribute", table->set_desc));
  RETURN_IF_ERROR(
      library.Find("cublasLtMatrixLayoutCreate", table->create_layout));
  RETURN_IF_ERROR(
      library.Find("cublasLtMatrixLayoutDestroy", table->destroy_layout));
  RETURN_IF_ERROR(
      library.Find("cublasLtMatmulPreferenceCreate", table->create_preference));
  RETURN_IF_ERROR(library.Find("cublasLtMatmulPreferenceDestroy",
                               table->destroy_preference));
  RETURN_IF_ERROR(library.Find("cublasLtMatmulPreferenceSetAttribute",
                               table->set_preference));
  return table;
}

}  // namespace tessera::kernels::cuda
