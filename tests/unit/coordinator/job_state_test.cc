#include "coordinator/job_state.h"

#include <set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

const std::vector<JobState> kAll = {JobState::kCreating,  JobState::kQueued,
                                    JobState::kRunning,   JobState::kSealing,
                                    JobState::kSucceeded, JobState::kFailed,
                                    JobState::kCancelled};

TEST(JobStateTest, ExactlyTheDrawnTransitionsAreLegal) {
  const std::set<std::pair<JobState, JobState>> legal = {
      {JobState::kCreating, JobState::kQueued},
      {JobState::kQueued, JobState::kRunning},
      {JobState::kQueued, JobState::kSealing},
      {JobState::kRunning, JobState::kSealing},
      {JobState::kSealing, JobState::kSucceeded},
      {JobState::kSealing, JobState::kFailed},
      {JobState::kSealing, JobState::kCancelled}};

  for (JobState from : kAll) {
    for (JobState to : kAll) {
      EXPECT_EQ(IsLegalTransition(from, to), legal.contains({from, to}))
          << JobStateName(from) << " to " << JobStateName(to);
    }
  }
}

TEST(JobStateTest, TerminalStatesAbsorb) {
  for (JobState from : kAll) {
    bool leaves = false;
    for (JobState to : kAll) leaves |= IsLegalTransition(from, to);
    EXPECT_EQ(IsTerminal(from), !leaves) << JobStateName(from);
  }
}

TEST(JobStateTest, OnlyAcceptedJobsAreExecutable) {
  for (JobState state : kAll) {
    EXPECT_EQ(IsExecutable(state),
              state == JobState::kQueued || state == JobState::kRunning);
  }
}

TEST(JobStateTest, NamesDiffer) {
  std::set<std::string_view> names;
  for (JobState state : kAll) names.insert(JobStateName(state));
  EXPECT_EQ(names.size(), kAll.size());
}

TEST(JobStateDeathTest, IllegalChangeIsABug) {
  Job job{.state = JobState::kSucceeded};
  EXPECT_DEATH(Advance(job, JobState::kRunning), "IsLegalTransition");
}

}  // namespace
}  // namespace tessera::coordinator
