#include "kernels/cuda/health.h"

#include "absl/strings/str_cat.h"
#include "kernels/cuda/error.h"

namespace tessera::kernels::cuda {

absl::Status Health::Check(cudaError_t error, std::string_view what) {
  if (error == cudaSuccess) return absl::OkStatus();
  // Takes the error off the runtime's own record, where the next launch would
  // be blamed for it.
  static_cast<void>(cudaGetLastError());
  absl::MutexLock lock(&mu_);
  if (!lost_.ok()) return lost_;
  absl::Status status =
      ToStatus(error, absl::StrCat(device_, ": ", std::string(what)));
  if (IsSticky(error)) lost_ = status;
  return status;
}

absl::Status Health::status() const {
  absl::MutexLock lock(&mu_);
  return lost_;
}

}  // namespace tessera::kernels::cuda
