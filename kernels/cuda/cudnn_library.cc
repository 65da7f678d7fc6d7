#include "kernels/cuda/cudnn_library.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::kernels::cuda {
namespace {

// The statuses from here to the next thousand say that something lacks support.
constexpr int kFirstNotSupported = 3000;

}  // namespace

absl::Status CudnnLibrary::ToStatus(cudnnStatus_t status,
                                    const char* what) const {
  if (status == CUDNN_STATUS_SUCCESS) return absl::OkStatus();
  std::array<char, 512> account = {};
  get_last_error_string(account.data(), account.size() - 1);
  const std::string message =
      absl::StrCat(what, ": ", get_error_string(status), ": ", account.data());
  const bool unsupported =
      static_cast<int>(status) / 1000 == kFirstNotSupported / 1000;
  return unsupported ? absl::UnimplementedError(message)
                     : absl::InternalError(message);
}

absl::StatusOr<std::unique_ptr<const CudnnLibrary>> LoadCudnn() {
  const std::string name = absl::StrCat("libcudnn_graph.so.", CUDNN_MAJOR);
  ASSIGN_OR_RETURN(SharedLibrary loaded, SharedLibrary::Open(name));
  auto table = std::make_unique<CudnnLibrary>(std::move(loaded));
  const SharedLibrary& library = table->library;
  RETURN_IF_ERROR(library.Find("cudnnGetVersion", table->get_version));
  RETURN_IF_ERROR(library.Find("cudnnCreate", table->create));
  RETURN_IF_ERROR(library.Find("cudnnDestroy", table->destroy));
  RETURN_IF_ERROR(library.Find("cudnnSetStream", table->set_stream));
  RETURN_IF_ERROR(library.Find("cudnnGetErrorString", table->get_error_string));
  RETURN_IF_ERROR(
      library.Find("cudnnGetLastErrorString", table->get_last_error_string));
  RETURN_IF_ERROR(
      library.Find("cudnnBackendCreateDescriptor", table->create_descriptor));
  RETURN_IF_ERROR(
      library.Find("cudnnBackendDestroyDescriptor", table->destroy_descriptor));
  RETURN_IF_ERROR(library.Find("cudnnBackendFinalize", table->finalize));
  RETURN_IF_ERROR(
      library.Find("cudnnBackendSetAttribute", table->set_attribute));
  RETURN_IF_ERROR(
      library.Find("cudnnBackendGetAttribute", table->get_attribute));
  RETURN_IF_ERROR(library.Find("cudnnBackendExecute", table->execute));
  return table;
}

}  // namespace tessera::kernels::cuda
