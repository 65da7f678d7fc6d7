// Whether a job's pictures can go where it wants them.
#ifndef TESSERA_COORDINATOR_OUTPUT_FOLDER_H_
#define TESSERA_COORDINATOR_OUTPUT_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "common/storage/output_store.h"

namespace tessera::coordinator {

// Checks, without leaving a trace, that a new job can write to `place`, a
// normal output that `store` was opened for. Errors: INVALID_ARGUMENT when a
// folder is a file, lies below one or cannot be written; FAILED_PRECONDITION
// when it holds a manifest already, or there is no such bucket; those of the
// store.
absl::Status CheckOutput(const std::string& place, storage::OutputStore& store);

// Creates a folder with its parents; a bucket needs nothing. Errors:
// INVALID_ARGUMENT with the reason.
absl::Status CreateOutput(const std::string& place);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_OUTPUT_FOLDER_H_
