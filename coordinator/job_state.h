// The life of a job.
//
//   CREATING ──▶ QUEUED ──▶ RUNNING ──▶ SEALING ──▶ SUCCEEDED
//                   │                      ▲   ├──▶ FAILED
//                   └──────────────────────┘   └──▶ CANCELLED
//
// QUEUED goes straight to SEALING when the job is cancelled before its first
// lease. SUCCEEDED, FAILED and CANCELLED never change again. A job in CREATING
// may also be dropped without a trace.
#ifndef TESSERA_COORDINATOR_JOB_STATE_H_
#define TESSERA_COORDINATOR_JOB_STATE_H_

#include <string_view>

#include "coordinator/job.h"

namespace tessera::coordinator {

// Returns whether a job may go from `from` to `to`. Staying is no change and
// not legal.
bool IsLegalTransition(JobState from, JobState to);

// Returns whether the state never changes again.
bool IsTerminal(JobState state);

// Returns whether shards of a job in this state may be leased and committed.
bool IsExecutable(JobState state);

// Returns the name in upper case, such as "QUEUED".
std::string_view JobStateName(JobState state);

// Moves `job` to `to`, which must be legal.
void Advance(Job& job, JobState to);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_JOB_STATE_H_
