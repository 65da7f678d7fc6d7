// A look at a LoRA file without a model.
#ifndef TESSERA_WORKER_LORA_INSPECT_H_
#define TESSERA_WORKER_LORA_INSPECT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tessera::lora {

// What a LoRA file says of itself.
struct AdapterFacts {
  std::string dialect;       // for people, such as "kohya with LDM block names"
  int64_t layers = 0;        // that it names
  int64_t keys = 0;          // all of them
  int64_t unknown_keys = 0;  // of no known dialect: a model refuses them
};

// Checks all of a file that can be checked without a model: the container, the
// dialect, that every layer has all its parts, that ranks agree and that values
// are finite. Whether a model has the layers is seen when it binds the file.
//
// Errors: NOT_FOUND, or INVALID_ARGUMENT "path: what: which key or layer". Work
// is bounded by the file's size. Thread-safe.
absl::StatusOr<AdapterFacts> InspectAdapterFile(const std::string& path);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_INSPECT_H_
