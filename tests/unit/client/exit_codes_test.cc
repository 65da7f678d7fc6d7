#include "client/exit_codes.h"

#include "gtest/gtest.h"
#include "tests/unit/client/fake_service.h"

namespace tessera::client {
namespace {

TEST(ExitCodesTest, RefusalsAreBadInput) {
  EXPECT_EQ(ExitCodeFor(absl::InvalidArgumentError("x")), 2);
  EXPECT_EQ(ExitCodeFor(absl::NotFoundError("x")), 2);
  EXPECT_EQ(ExitCodeFor(absl::FailedPreconditionError("x")), 2);
}

TEST(ExitCodesTest, ServiceThatIsAwayOrOverloadedIsUnreachable) {
  EXPECT_EQ(ExitCodeFor(absl::UnavailableError("x")), 3);
  EXPECT_EQ(ExitCodeFor(absl::DeadlineExceededError("x")), 3);
  EXPECT_EQ(ExitCodeFor(absl::ResourceExhaustedError("x")), 3);
}

TEST(ExitCodesTest, OtherErrorsAreFailures) {
  EXPECT_EQ(ExitCodeFor(absl::InternalError("x")), 1);
  EXPECT_EQ(ExitCodeFor(absl::DataLossError("x")), 1);
  EXPECT_EQ(ExitCodeFor(absl::OkStatus()), 0);
}

TEST(ExitCodesTest, JobIsDoneOnlyWhenEveryPictureIsThere) {
  v1::Job job = MakeJob(v1::JOB_STATE_SUCCEEDED, 3, 3);
  EXPECT_EQ(ExitCodeFor(job), 0);

  job.mutable_images()->set_failed(1);
  EXPECT_EQ(ExitCodeFor(job), 1);
  EXPECT_EQ(ExitCodeFor(MakeJob(v1::JOB_STATE_FAILED, 0, 3)), 1);
  EXPECT_EQ(ExitCodeFor(MakeJob(v1::JOB_STATE_CANCELLED, 3, 3)), 1);
}

TEST(ExitCodesTest, OnlySealedStatesAreTerminal) {
  int terminal = 0;
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    terminal += IsTerminal(static_cast<v1::JobState>(state)) ? 1 : 0;
  }

  EXPECT_EQ(terminal, 3);
  EXPECT_FALSE(IsTerminal(v1::JOB_STATE_SEALING));
  EXPECT_TRUE(IsTerminal(v1::JOB_STATE_CANCELLED));
}

}  // namespace
}  // namespace tessera::client
