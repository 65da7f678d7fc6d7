// The identity of a model folder.
#ifndef TESSERA_WORKER_MODEL_MODEL_DIGEST_H_
#define TESSERA_WORKER_MODEL_MODEL_DIGEST_H_

#include <string>

#include "absl/status/statusor.h"

namespace tessera::model {

// Returns a hex SHA-256 over the relative paths and contents of the files of a
// model that the engine reads: configs, tokenizer and safetensors, ordered by
// path. Reads every byte. Errors: NOT_FOUND or INTERNAL when a file cannot be
// read.
absl::StatusOr<std::string> ModelDigest(const std::string& model_dir);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_MODEL_DIGEST_H_
