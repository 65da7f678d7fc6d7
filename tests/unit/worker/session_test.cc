#include "worker/session.h"

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/worker/builders.h"

namespace tessera::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A coordinator that does what the test says. Called by one thread.
class FakeLink final : public CoordinatorLink {
 public:
  absl::StatusOr<SynchronizeAnswer> Synchronize(
      const SynchronizeCall& call) override {
    calls.push_back(call);
    return on_synchronize(call);
  }

  absl::Status CommitResults(const CommitCall& call) override {
    commits.push_back(call);
    if (refusals.empty()) return absl::OkStatus();
    const absl::Status status = refusals.front();
    refusals.pop_front();
    return status;
  }

  void EndIdleCalls() override {
    if (!idle_calls_ended.HasBeenNotified()) idle_calls_ended.Notify();
  }

  std::function<absl::StatusOr<SynchronizeAnswer>(const SynchronizeCall&)>
      on_synchronize;
  std::deque<absl::Status> refusals;  // of the commits to come
  std::vector<SynchronizeCall> calls;
  std::vector<CommitCall> commits;
  absl::Notification idle_calls_ended;
};

class FakeExecutor final : public ShardExecutor {
 public:
  void Execute(const Assignment& assignment, ExecutionControl& control,
               ExecutionListener& listener) override {
    on_execute(assignment, control, listener);
  }

  std::function<void(const Assignment&, ExecutionControl&, ExecutionListener&)>
      on_execute = [](const Assignment& assignment, ExecutionControl&,
                      ExecutionListener& listener) {
        for (size_t i = 0; i < assignment.tasks.size(); ++i) {
          listener.OnResult(MakeResult(static_cast<int>(i)));
        }
      };
};

class SessionTest : public ::testing::Test {
 protected:
  static SessionOptions Options() {
    SessionOptions options;
    options.first_backoff = absl::ZeroDuration();  // time stands still here
    options.longest_backoff = absl::ZeroDuration();
    return options;
  }

  static SynchronizeAnswer Answer(
      std::variant<CarryOn, Assignment, StopLease> desired) {
    return {absl::ZeroDuration(), std::move(desired)};
  }

  // Gives one shard of `count` tasks; asks to drain when that is over.
  void GiveOneShard(int count) {
    link_.on_synchronize =
        [this, count](
            const SynchronizeCall& call) -> absl::StatusOr<SynchronizeAnswer> {
      if (link_.calls.size() == 1) {
        return SynchronizeAnswer{absl::Minutes(1), MakeAssignment(count)};
      }
      if (!call.lease && !call.draining) session_.Drain();
      return Answer(CarryOn{});
    };
  }

  std::vector<int> CommittedTasks() {
    std::vector<int> tasks;
    for (const CommitCall& commit : link_.commits) {
      for (const auto& result : commit.results) tasks.push_back(result.task);
    }
    return tasks;
  }

  testing::FakeClock clock_{testing::FakeClock::Mode::kWaitsBlock};
  metrics::Registry registry_;
  WorkerMetrics metrics_{registry_};
  FakeLink link_;
  FakeExecutor executor_;
  Session session_{link_, executor_, metrics_, Options(), clock_};
};

TEST_F(SessionTest, ExecutesCommitsAndDrains) {
  GiveOneShard(3);

  EXPECT_TRUE(session_.Run().ok());

  EXPECT_THAT(CommittedTasks(), ElementsAre(0, 1, 2));
  EXPECT_FALSE(link_.commits.back().release);
  EXPECT_TRUE(link_.calls.back().draining);
}

TEST_F(SessionTest, RepeatsTheCommitUntilTheCoordinatorIsBack) {
  GiveOneShard(2);
  link_.refusals = {absl::UnavailableError("away"),
                    absl::DeadlineExceededError("away")};

  EXPECT_TRUE(session_.Run().ok());

  ASSERT_THAT(link_.commits, SizeIs(3));
  EXPECT_THAT(link_.commits.back().results, SizeIs(2));
}

TEST_F(SessionTest, StaleLeaseIsDropped) {
  GiveOneShard(2);
  link_.refusals = {absl::AbortedError("stale epoch")};

  EXPECT_TRUE(session_.Run().ok());

  EXPECT_THAT(link_.commits, SizeIs(1));
}

TEST_F(SessionTest, StopEndsTheExecutorWithoutCommit) {
  executor_.on_execute = [&](const Assignment&, ExecutionControl& control,
                             ExecutionListener& listener) {
    control.WaitUnlessStopped(absl::InfiniteDuration());
    listener.OnResult(MakeResult(0));
  };
  bool given = false;
  link_.on_synchronize =
      [&](const SynchronizeCall& call) -> absl::StatusOr<SynchronizeAnswer> {
    if (call.lease) return Answer(StopLease{"cancelled"});
    if (!std::exchange(given, true)) return Answer(MakeAssignment(2));
    if (!call.draining) session_.Drain();
    return Answer(CarryOn{});
  };

  EXPECT_TRUE(session_.Run().ok());

  EXPECT_THAT(link_.commits, IsEmpty());
}

TEST_F(SessionTest, DrainMidShardReleasesTheRest) {
  absl::Notification said_draining;
  executor_.on_execute = [&](const Assignment&, ExecutionControl& control,
                             ExecutionListener& listener) {
    listener.OnResult(MakeResult(0));
    said_draining.WaitForNotification();
    EXPECT_TRUE(control.draining());
    listener.OnResult(MakeResult(1));
  };
  link_.on_synchronize =
      [&](const SynchronizeCall& call) -> absl::StatusOr<SynchronizeAnswer> {
    if (link_.calls.size() == 1) return Answer(MakeAssignment(5));
    session_.Drain();
    if (!call.draining) return Answer(CarryOn{});
    if (!said_draining.HasBeenNotified()) said_draining.Notify();
    return SynchronizeAnswer{absl::Minutes(1), CarryOn{}};
  };

  EXPECT_TRUE(session_.Run().ok());

  EXPECT_THAT(CommittedTasks(), ElementsAre(0, 1));
  EXPECT_TRUE(link_.commits.back().release);
}

TEST_F(SessionTest, LostDeviceEndsTheSessionWithTheRestGivenBack) {
  executor_.on_execute = [](const Assignment&, ExecutionControl&,
                            ExecutionListener& listener) {
    listener.OnResult(MakeResult(0));
    listener.OnDeviceLost(absl::InternalError("illegal address"));
  };
  link_.on_synchronize =
      [&](const SynchronizeCall&) -> absl::StatusOr<SynchronizeAnswer> {
    if (link_.calls.size() == 1) {
      return SynchronizeAnswer{absl::Minutes(1), MakeAssignment(3)};
    }
    return Answer(CarryOn{});
  };

  EXPECT_EQ(session_.Run(), absl::InternalError("illegal address"));

  EXPECT_THAT(CommittedTasks(), ElementsAre(0));
  EXPECT_TRUE(link_.commits.back().release);
  EXPECT_TRUE(link_.calls.back().draining);
}

TEST_F(SessionTest, DrainEndsAHeldCall) {
  absl::Notification held;
  link_.on_synchronize =
      [&](const SynchronizeCall& call) -> absl::StatusOr<SynchronizeAnswer> {
    if (call.draining) return Answer(CarryOn{});
    held.Notify();
    link_.idle_calls_ended.WaitForNotification();
    return absl::CancelledError("ended");
  };
  std::thread run([&] { EXPECT_TRUE(session_.Run().ok()); });
  held.WaitForNotification();

  session_.Drain();
  run.join();

  EXPECT_THAT(link_.calls, SizeIs(2));
  EXPECT_TRUE(link_.calls.back().draining);
}

TEST_F(SessionTest, SequenceGrowsWithEveryCall) {
  GiveOneShard(1);

  EXPECT_TRUE(session_.Run().ok());

  for (size_t i = 0; i < link_.calls.size(); ++i) {
    EXPECT_EQ(link_.calls[i].sequence, i + 1);
  }
}

}  // namespace
}  // namespace tessera::worker
