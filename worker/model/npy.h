// NumPy's .npy files (format version 1.0).
#ifndef TESSERA_WORKER_MODEL_NPY_H_
#define TESSERA_WORKER_MODEL_NPY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/tensor.h"

namespace tessera::model {

// Writes an f32 or i32 tensor, row-major. Errors: those of the file system,
// naming the path.
absl::Status WriteNpy(const std::string& path,
                      const kernels::TensorView& tensor);

// Reads an f32 array in C order of at most 5 axes. Errors: NOT_FOUND, or
// INVALID_ARGUMENT naming the path.
absl::StatusOr<kernels::Tensor> ReadNpy(const std::string& path);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_NPY_H_
