#include "coordinator/job_state.h"

#include "common/check.h"

namespace tessera::coordinator {

bool IsLegalTransition(JobState from, JobState to) {
  switch (from) {
    case JobState::kCreating:
      // A bad file or a lost client deletes the job instead; no state is needed
      // for what was never visible.
      return to == JobState::kQueued;
    case JobState::kQueued:
      // Straight to the seal when it is cancelled before its first lease.
      return to == JobState::kRunning || to == JobState::kSealing;
    case JobState::kRunning:
      return to == JobState::kSealing;
    case JobState::kSealing:
      // Which of the three was decided when the job was closed (Job::outcome).
      return IsTerminal(to);
    case JobState::kSucceeded:
    case JobState::kFailed:
    case JobState::kCancelled:
      return false;
  }
  // Reached by a number that no enumerator has; the store refuses such rows.
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
  // Part of job.json, of messages and of logs: a name never changes.
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
  // A state is never taken from a request, so an illegal step is our mistake.
  CHECK(IsLegalTransition(job.state, to));
  job.state = to;
}

}  // namespace tessera::coordinator
