#include "coordinator/job_state.h"

#include "common/check.h"

namespace tessera::coordinator {

bool IsLegalTransition(JobState from, JobState to) {
  switch (from) {
    case JobState::kCreating:
      return to == JobState::kQueued;
    case JobState::kQueued:
      return to == JobState::kRunning || to == JobState::kSealing;
    case JobState::kRunning:
      return to == JobState::kSealing;
    case JobState::kSealing:
      return IsTerminal(to);
    case JobState::kSucceeded:
    case JobState::kFailed:
    case JobState::kCancelled:
      return false;
  }
  return false;
}

bool IsTerminal(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

bool IsExecutable(JobState state) {
  return state == JobState::kQueued || state == JobState::kRunning;
}

std::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kCreating:
      return "CREATING";
    case JobState::kQueued:
      return "QUEUED";
    case JobState::kRunning:
      return "RUNNING";
    case JobState::kSealing:
      return "SEALING";
    case JobState::kSucceeded:
      return "SUCCEEDED";
    case JobState::kFailed:
      return "FAILED";
    case JobState::kCancelled:
      return "CANCELLED";
  }
  return "UNKNOWN";
}

void Advance(Job& job, JobState to) {
  CHECK(IsLegalTransition(job.state, to));
  job.state = to;
}

}  // namespace tessera::coordinator
