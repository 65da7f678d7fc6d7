// Whether a device can still be used.
#ifndef TESSERA_KERNELS_CUDA_HEALTH_H_
#define TESSERA_KERNELS_CUDA_HEALTH_H_

#include <cuda_runtime_api.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace tessera::kernels::cuda {

// Turns what calls of one device return into errors, and keeps the first that
// the device does not recover from. Thread-safe.
class Health {
 public:
  // `device` is its name, for messages.
  explicit Health(std::string device) : device_(std::move(device)) {}

  // Returns OK, or the error of the call named `what`: the kept one, if there
  // is one, for what follows is its consequence.
  absl::Status Check(cudaError_t error, std::string_view what);

  // Returns OK as long as the device can be used.
  absl::Status status() const;

 private:
  const std::string device_;
  mutable absl::Mutex mu_;
  absl::Status lost_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_HEALTH_H_
