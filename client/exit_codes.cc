#include "client/exit_codes.h"

namespace tessera::client {

ExitCode ExitCodeFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitDone;
    // Repeating the same command would be refused again.
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kPermissionDenied:
      return kExitBadInput;
    // Passes when the service is there again, or less busy. UNIMPLEMENTED: what
    // answers at that address is no coordinator of this version.
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnimplemented:
      return kExitUnreachable;
    // Whatever is left went wrong on the way; something may have been created.
    default:
      return kExitIncomplete;
  }
}

ExitCode ExitCodeFor(const v1::Job& job) {
  // A job may succeed with failed pictures, within its limit; a script that
  // needs all of them must notice.
  const bool whole =
      job.state() == v1::JOB_STATE_SUCCEEDED && job.images().failed() == 0;
  return whole ? kExitDone : kExitIncomplete;
}

bool IsTerminal(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED ||
         state == v1::JOB_STATE_CANCELLED;
}

}  // namespace tessera::client
