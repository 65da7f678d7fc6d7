// Libraries that are loaded at run time, where the machine has them.
#ifndef TESSERA_KERNELS_CUDA_SHARED_LIBRARY_H_
#define TESSERA_KERNELS_CUDA_SHARED_LIBRARY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::kernels::cuda {

// A loaded library; its functions live as long as it does. Thread-safe.
class SharedLibrary {
 public:
  // Loads by file name, as the dynamic linker finds it. Errors:
  // FAILED_PRECONDITION, naming the library and the linker's reason.
  static absl::StatusOr<SharedLibrary> Open(const std::string& file_name);

  // Stores the address of a function in `function`, whose type the caller
  // takes from the library's header. Errors: FAILED_PRECONDITION when the
  // library has none of that name (it is another version).
  template <typename Function>
  absl::Status Find(const char* name, Function*& function) const {
    const absl::StatusOr<void*> address = Address(name);
    if (!address.ok()) return address.status();
    function = reinterpret_cast<Function*>(*address);
    return absl::OkStatus();
  }

 private:
  // Unloads the library.
  struct Close {
    void operator()(void* handle) const;
  };

  SharedLibrary(std::string file_name, void* handle);
  absl::StatusOr<void*> Address(const char* name) const;

  std::string file_name_;
  std::unique_ptr<void, Close> handle_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_SHARED_LIBRARY_H_
