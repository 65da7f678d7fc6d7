// cuDNN's graph API as a table of functions, loaded when first needed.
#ifndef TESSERA_KERNELS_CUDA_CUDNN_LIBRARY_H_
#define TESSERA_KERNELS_CUDA_CUDNN_LIBRARY_H_

#include <cudnn_graph.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/cuda/shared_library.h"

namespace tessera::kernels::cuda {

// The functions in use, by the names and types of cudnn_graph.h. Immutable.
struct CudnnLibrary {
  explicit CudnnLibrary(SharedLibrary loaded) : library(std::move(loaded)) {}

  SharedLibrary library;
  decltype(&cudnnGetVersion) get_version = nullptr;
  decltype(&cudnnCreate) create = nullptr;
  decltype(&cudnnDestroy) destroy = nullptr;
  decltype(&cudnnSetStream) set_stream = nullptr;
  decltype(&cudnnGetErrorString) get_error_string = nullptr;
  decltype(&cudnnGetLastErrorString) get_last_error_string = nullptr;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor = nullptr;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor = nullptr;
  decltype(&cudnnBackendFinalize) finalize = nullptr;
  decltype(&cudnnBackendSetAttribute) set_attribute = nullptr;
  decltype(&cudnnBackendGetAttribute) get_attribute = nullptr;
  decltype(&cudnnBackendExecute) execute = nullptr;

  // Returns OK, or INTERNAL with `what`, the status and the library's own
  // account of it; UNIMPLEMENTED where it says that it lacks support.
  absl::Status ToStatus(cudnnStatus_t status, const char* what) const;
};

// Loads libcudnn_graph of the major version this program was compiled against.
// Errors: FAILED_PRECONDITION, naming the library, where the machine has none.
absl::StatusOr<std::unique_ptr<const CudnnLibrary>> LoadCudnn();

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_CUDNN_LIBRARY_H_
