// What a user should know of a job that goes on: lines, each once.
#ifndef TESSERA_COORDINATOR_JOB_WARNINGS_H_
#define TESSERA_COORDINATOR_JOB_WARNINGS_H_

#include <string>
#include <vector>

#include "coordinator/job.h"

namespace tessera::coordinator {

// Adds those of `said` that `warnings` lacks, each as one line of bounded
// length. Beyond a fixed number of lines no more are kept, as most would be
// variations of one cause. Returns whether something was added.
bool AddWarnings(const std::vector<std::string>& said,
                 std::vector<std::string>& warnings);

// Adds that a failure is tried again, such as on a full disk; once a code, as
// the reasons of many pictures differ in their paths only.
void WarnOfRetry(const TaskFailure& failure,
                 std::vector<std::string>& warnings);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_JOB_WARNINGS_H_
