#include "coordinator/group_commit.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "coordinator/store/memory_job_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/failing_job_store.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(GroupCommitTest, CommandIsAnsweredAfterItsCommit) {
  MemoryJobStore store;
  GroupCommit commits(store, [] { return absl::OkStatus(); });

  ASSERT_THAT(commits.Run([](JobTransaction& transaction) {
    transaction.PutJob({.id = JobId("j"), .number = 1});
    return absl::OkStatus();
  }),
              IsOk());

  EXPECT_THAT(store.LoadJobs(), IsOkAndHolds(SizeIs(1)));
}

TEST(GroupCommitTest, OwnErrorIsReturned) {
  MemoryJobStore store;
  GroupCommit commits(store, [] { return absl::OkStatus(); });

  EXPECT_THAT(
      commits.Run([](JobTransaction&) { return absl::AbortedError("no"); }),
      StatusIs(absl::StatusCode::kAborted));
}

TEST(GroupCommitTest, FailedCommitIsReportedAndMemoryReadAnew) {
  FailingJobStore store;
  int reloads = 0;
  GroupCommit commits(store, [&] {
    ++reloads;
    return absl::OkStatus();
  });
  const auto put = [](JobTransaction& transaction) {
    transaction.PutJob({.id = JobId("j"), .number = 1});
    return absl::OkStatus();
  };

  store.FailCommits(absl::ResourceExhaustedError("disk full"));
  EXPECT_THAT(commits.Run(put), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(reloads, 0);
  EXPECT_THAT(store.LoadJobs(), IsOkAndHolds(IsEmpty()));

  store.FailCommits(absl::OkStatus());
  EXPECT_THAT(commits.Run(put), IsOk());
  EXPECT_EQ(reloads, 1);
  EXPECT_THAT(store.LoadJobs(), IsOkAndHolds(SizeIs(1)));
}

// While one command runs, others queue up; they then share a transaction.
TEST(GroupCommitTest, CallsThatWaitShareOneCommit) {
  FailingJobStore store;
  GroupCommit commits(store, [] { return absl::OkStatus(); });
  absl::Notification started;
  absl::Notification go_on;
  std::thread leader([&] {
    EXPECT_THAT(commits.Run([&](JobTransaction&) {
      started.Notify();
      go_on.WaitForNotification();
      return absl::OkStatus();
    }),
                IsOk());
  });
  started.WaitForNotification();
  int counter = 0;  // touched by commands only: no lock
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      EXPECT_THAT(commits.Run([&](JobTransaction&) {
        ++counter;
        return absl::OkStatus();
      }),
                  IsOk());
    });
  }

  go_on.Notify();
  leader.join();
  for (std::thread& caller : callers) caller.join();

  EXPECT_EQ(counter, 8);
  EXPECT_LE(store.commits(), 9);
}

}  // namespace
}  // namespace tessera::coordinator
