#include "kernels/cuda/shared_library.h"

#include <dlfcn.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace tessera::kernels::cuda {

void SharedLibrary::Close::operator()(void* handle) const { dlclose(handle); }

SharedLibrary::SharedLibrary(std::string file_name, void* handle)
    : file_name_(std::move(file_name)), handle_(handle) {}

absl::StatusOr<SharedLibrary> SharedLibrary::Open(
    const std::string& file_name) {
  void* const handle = dlopen(file_name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot load ", file_name, ": ", dlerror()));
  }
  return SharedLibrary(file_name, handle);
}

absl::StatusOr<void*> SharedLibrary::Address(const char* name) const {
  void* const address = dlsym(handle_.get(), name);
  if (address == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(file_name_, " lacks the function ", name));
  }
  return address;
}

}  // namespace tessera::kernels::cuda
