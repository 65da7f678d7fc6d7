// Where a job's pictures go: a folder that coordinator and workers share.
#ifndef TESSERA_COORDINATOR_OUTPUT_FOLDER_H_
#define TESSERA_COORDINATOR_OUTPUT_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::coordinator {

// Returns the normal form of the folder that `output_uri` names, so that equal
// folders compare equal. Errors: INVALID_ARGUMENT unless it is an absolute
// path or file:///path, other than the root.
absl::StatusOr<std::string> OutputFolder(const std::string& output_uri);

// Checks, without leaving a trace, that a new job can write to `folder`.
// Errors: INVALID_ARGUMENT when it is a file, lies below one or cannot be
// written; FAILED_PRECONDITION when it holds a manifest already.
absl::Status CheckOutputFolder(const std::string& folder);

// Creates `folder` with its parents. Errors: INVALID_ARGUMENT with the reason.
absl::Status CreateOutputFolder(const std::string& folder);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_OUTPUT_FOLDER_H_
