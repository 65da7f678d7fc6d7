#include "worker/session_state.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/builders.h"

namespace tessera::worker {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

class SessionStateTest : public ::testing::Test {
 protected:
  // The next step, which must be a Synchronize call.
  SynchronizeCall ExpectCall() {
    const Step step = state_->NextStep(now_);
    EXPECT_TRUE(std::holds_alternative<SynchronizeCall>(step));
    return std::get<SynchronizeCall>(step);
  }

  // The next step, which must be a commit.
  CommitCall ExpectCommit() {
    const Step step = state_->NextStep(now_);
    EXPECT_TRUE(std::holds_alternative<CommitCall>(step));
    return std::get<CommitCall>(step);
  }

  bool Waits() { return Holds<WaitUntil>(); }
  bool Leaves() { return Holds<Leave>(); }

  template <typename T>
  bool Holds() {
    return std::holds_alternative<T>(state_->NextStep(now_));
  }

  Order Answer(std::variant<CarryOn, Assignment, StopLease> desired) {
    const SynchronizeCall call = ExpectCall();
    return state_->OnAnswer(call.sequence,
                            {absl::Seconds(10), std::move(desired)}, now_);
  }

  // Brings the state to executing `assignment`.
  void Execute(const Assignment& assignment) {
    EXPECT_TRUE(std::holds_alternative<StartExecution>(Answer(assignment)));
  }

  void Finish(int task) { state_->OnResult(MakeResult(task), now_); }

  void Commit() {
    ExpectCommit();
    state_->OnCommitted(now_);
  }

  absl::Time now_ = kStart;
  std::optional<SessionState> state_{std::in_place, SessionOptions{}};
};

TEST_F(SessionStateTest, BeginsByCallingAsIdle) {
  const SynchronizeCall call = ExpectCall();

  EXPECT_EQ(call.sequence, 1u);
  EXPECT_FALSE(call.lease.has_value());
  EXPECT_FALSE(call.draining);
}

TEST_F(SessionStateTest, CarryOnWaitsForTheNextCall) {
  Answer(CarryOn{});

  EXPECT_TRUE(Waits());
  now_ += absl::Seconds(10);
  EXPECT_EQ(ExpectCall().sequence, 2u);
}

TEST_F(SessionStateTest, AssignmentStartsAndIsReported) {
  Assignment assignment = MakeAssignment(3);
  assignment.finished_tasks = {0};
  Execute(assignment);

  now_ += absl::Seconds(10);
  const SynchronizeCall call = ExpectCall();
  EXPECT_EQ(call.lease, assignment.lease);
  EXPECT_EQ(call.tasks_finished, 1);
}

TEST_F(SessionStateTest, AnswerToOlderCallIsIgnored) {
  const SynchronizeCall older = ExpectCall();
  state_->OnSynchronizeFailed(now_);
  now_ += absl::Seconds(1);
  ExpectCall();

  const Order order = state_->OnAnswer(
      older.sequence, {absl::Seconds(10), MakeAssignment(1)}, now_);

  EXPECT_TRUE(std::holds_alternative<std::monostate>(order));
  EXPECT_FALSE(state_->executing());
}

TEST_F(SessionStateTest, AssignmentAfterLostAnswerStartsOnce) {
  ExpectCall();
  state_->OnSynchronizeFailed(now_);  // the answer was lost on its way
  now_ += absl::Seconds(1);
  Execute(MakeAssignment(2));

  now_ += absl::Seconds(10);
  const Order again = Answer(MakeAssignment(2));

  EXPECT_TRUE(std::holds_alternative<std::monostate>(again));
  EXPECT_TRUE(state_->executing());
}

TEST_F(SessionStateTest, FailedCallsBackOffWithinTheBound) {
  for (int i = 0; i < 20; ++i) {
    ExpectCall();
    state_->OnSynchronizeFailed(now_);
    now_ += absl::Seconds(5);
    EXPECT_FALSE(Waits()) << i;
    now_ += absl::Seconds(5);
  }
}

TEST_F(SessionStateTest, ResultsAreCommittedTogetherAfterTheDelay) {
  Execute(MakeAssignment(3));
  Finish(0);
  EXPECT_TRUE(Waits());
  now_ += absl::Milliseconds(300);
  Finish(1);
  EXPECT_TRUE(Waits());
  now_ += absl::Milliseconds(200);

  const CommitCall commit = ExpectCommit();
  EXPECT_EQ(commit.lease, MakeAssignment(0).lease);
  EXPECT_EQ(commit.results.size(), 2u);
  EXPECT_FALSE(commit.release);
}

TEST_F(SessionStateTest, WaitEndsWhenTheCommitIsDue) {
  Execute(MakeAssignment(3));
  Finish(0);

  const Step step = state_->NextStep(now_);
  EXPECT_EQ(std::get<WaitUntil>(step).time, now_ + absl::Milliseconds(500));
}

TEST_F(SessionStateTest, IsolatedResultsAreCommittedAtOnce) {
  Assignment assignment = MakeAssignment(2);
  assignment.isolate = true;
  Execute(assignment);

  Finish(0);

  EXPECT_EQ(ExpectCommit().results.size(), 1u);
}

TEST_F(SessionStateTest, LargeResultsAreCommittedInParts) {
  SessionOptions options;
  options.commit_results = 2;
  state_.emplace(options);
  Execute(MakeAssignment(3));
  for (int i = 0; i < 3; ++i) Finish(i);
  state_->OnExecutionEnded(now_);

  EXPECT_EQ(ExpectCommit().results.size(), 2u);
  state_->OnCommitted(now_);
  EXPECT_EQ(ExpectCommit().results.size(), 1u);
  state_->OnCommitted(now_);
  EXPECT_FALSE(state_->executing());
}

TEST_F(SessionStateTest, FinishedShardCommitsAtOnceAndBecomesIdle) {
  Execute(MakeAssignment(1));
  Finish(0);
  state_->OnExecutionEnded(now_);

  Commit();

  EXPECT_FALSE(ExpectCall().lease.has_value());
}

TEST_F(SessionStateTest, ShardThatIsCommittedBeforeItEndsBecomesIdle) {
  Execute(MakeAssignment(1));
  Finish(0);
  now_ += absl::Seconds(1);
  Commit();
  EXPECT_TRUE(state_->executing());

  state_->OnExecutionEnded(now_);

  EXPECT_FALSE(state_->executing());
}

TEST_F(SessionStateTest, CoordinatorAwayKeepsExecutingAndCommitsLater) {
  Execute(MakeAssignment(3));
  Finish(0);
  now_ += absl::Seconds(1);
  ExpectCommit();
  state_->OnCommitFailed(absl::UnavailableError("away"), now_);
  Finish(1);
  now_ += absl::Seconds(1);
  ExpectCommit();
  state_->OnCommitFailed(absl::DeadlineExceededError("away"), now_);
  Finish(2);
  state_->OnExecutionEnded(now_);
  now_ += absl::Seconds(5);

  EXPECT_EQ(ExpectCommit().results.size(), 3u);
  state_->OnCommitted(now_);
  EXPECT_FALSE(state_->executing());
}

TEST_F(SessionStateTest, LeaseIsReportedWhileResultsWait) {
  Execute(MakeAssignment(1));
  Finish(0);
  state_->OnExecutionEnded(now_);
  ExpectCommit();
  now_ += absl::Seconds(10);
  state_->OnCommitFailed(absl::UnavailableError("away"),
                         now_ + absl::Seconds(5));

  const SynchronizeCall call = ExpectCall();
  EXPECT_TRUE(call.lease.has_value());
  EXPECT_EQ(call.tasks_finished, 1);
}

TEST_F(SessionStateTest, StopDropsResultsAndWaitsForTheExecutor) {
  Execute(MakeAssignment(2));
  Finish(0);
  now_ += absl::Seconds(1);
  Commit();
  Finish(1);
  now_ += absl::Seconds(9);
  state_->NextStep(now_);
  state_->OnCommitFailed(absl::UnavailableError("away"), now_);

  const Order order = Answer(StopLease{"cancelled"});

  EXPECT_TRUE(std::holds_alternative<StopExecution>(order));
  now_ += absl::Minutes(1);
  EXPECT_TRUE(Waits());
  Finish(1);  // came too late
  EXPECT_TRUE(Waits());
  state_->OnExecutionEnded(now_);
  EXPECT_FALSE(ExpectCall().lease.has_value());
}

TEST_F(SessionStateTest, StopWhileIdleChangesNothing) {
  const Order order = Answer(StopLease{"unknown lease"});

  EXPECT_TRUE(std::holds_alternative<std::monostate>(order));
}

TEST_F(SessionStateTest, StopAfterExecutionForgetsWhatWaits) {
  Execute(MakeAssignment(1));
  Finish(0);
  state_->OnExecutionEnded(now_);
  ExpectCommit();
  state_->OnCommitFailed(absl::UnavailableError("away"), now_);
  now_ += absl::Seconds(10);
  ExpectCommit();
  state_->OnCommitFailed(absl::UnavailableError("away"), now_);

  const SynchronizeCall call = ExpectCall();
  state_->OnAnswer(call.sequence, {absl::Seconds(10), StopLease{"lost"}}, now_);

  EXPECT_FALSE(state_->executing());
  EXPECT_FALSE(ExpectCall().lease.has_value());
}

TEST_F(SessionStateTest, StaleCommitStopsTheExecutor) {
  Execute(MakeAssignment(2));
  Finish(0);
  now_ += absl::Seconds(1);
  ExpectCommit();

  const Order order =
      state_->OnCommitFailed(absl::AbortedError("stale epoch"), now_);

  EXPECT_TRUE(std::holds_alternative<StopExecution>(order));
  EXPECT_TRUE(Waits());
}

TEST_F(SessionStateTest, RefusedCommitOfFinishedShardBecomesIdle) {
  Execute(MakeAssignment(1));
  Finish(0);
  state_->OnExecutionEnded(now_);
  ExpectCommit();

  state_->OnCommitFailed(absl::NotFoundError("no such job"), now_);

  EXPECT_FALSE(ExpectCall().lease.has_value());
}

TEST_F(SessionStateTest, AnotherLeaseReplacesTheCurrentOne) {
  Execute(MakeAssignment(2));
  Assignment other = MakeAssignment(1);
  other.lease.epoch = 2;
  now_ += absl::Seconds(10);

  EXPECT_TRUE(std::holds_alternative<StopExecution>(Answer(other)));
  const Order next = state_->OnExecutionEnded(now_);

  ASSERT_TRUE(std::holds_alternative<StartExecution>(next));
  EXPECT_EQ(std::get<StartExecution>(next).assignment.lease, other.lease);
}

TEST_F(SessionStateTest, DrainWhileIdleSaysSoAndLeaves) {
  Answer(CarryOn{});
  state_->OnDrain(now_);

  const SynchronizeCall call = ExpectCall();
  EXPECT_TRUE(call.draining);
  state_->OnAnswer(call.sequence, {absl::Seconds(10), CarryOn{}}, now_);
  EXPECT_TRUE(Leaves());
}

TEST_F(SessionStateTest, DrainWhileIdleLeavesWithoutCoordinator) {
  Answer(CarryOn{});
  state_->OnDrain(now_);
  ExpectCall();

  state_->OnSynchronizeFailed(now_);

  EXPECT_TRUE(Leaves());
}

TEST_F(SessionStateTest, DrainAfterHeldCallStillSaysGoodbye) {
  ExpectCall();
  state_->OnSynchronizeFailed(now_);  // the drain ended the held call
  state_->OnDrain(now_);

  EXPECT_TRUE(ExpectCall().draining);
}

TEST_F(SessionStateTest, DrainMidShardCommitsAndReleasesTheRest) {
  Execute(MakeAssignment(4));
  Finish(0);
  EXPECT_TRUE(std::holds_alternative<DrainExecution>(state_->OnDrain(now_)));
  Answer(CarryOn{});
  Finish(1);
  state_->OnExecutionEnded(now_);

  const CommitCall commit = ExpectCommit();
  EXPECT_EQ(commit.results.size(), 2u);
  EXPECT_TRUE(commit.release);
  state_->OnCommitted(now_);
  EXPECT_TRUE(Leaves());
}

TEST_F(SessionStateTest, DrainOfFinishedShardDoesNotRelease) {
  Execute(MakeAssignment(1));
  state_->OnDrain(now_);
  Answer(CarryOn{});
  Finish(0);
  state_->OnExecutionEnded(now_);

  EXPECT_FALSE(ExpectCommit().release);
}

TEST_F(SessionStateTest, AssignmentThatMeetsADrainIsGivenBack) {
  const SynchronizeCall call = ExpectCall();
  state_->OnDrain(now_);

  const Order order = state_->OnAnswer(
      call.sequence, {absl::Seconds(10), MakeAssignment(2)}, now_);

  EXPECT_TRUE(std::holds_alternative<std::monostate>(order));
  const CommitCall commit = ExpectCommit();
  EXPECT_TRUE(commit.results.empty());
  EXPECT_TRUE(commit.release);
}

TEST_F(SessionStateTest, DrainGivesUpOnAnAbsentCoordinatorInTime) {
  Execute(MakeAssignment(1));
  state_->OnDrain(now_);
  ExpectCall();
  state_->OnSynchronizeFailed(now_);
  now_ += absl::Minutes(5);  // the picture takes its time
  Finish(0);
  state_->OnExecutionEnded(now_);
  ExpectCommit();
  state_->OnCommitFailed(absl::UnavailableError("away"), now_);
  EXPECT_FALSE(Leaves());

  now_ += absl::Seconds(30);

  EXPECT_TRUE(Leaves());
}

TEST_F(SessionStateTest, SecondDrainChangesNothing) {
  Execute(MakeAssignment(1));
  state_->OnDrain(now_);

  EXPECT_TRUE(std::holds_alternative<std::monostate>(state_->OnDrain(now_)));
}

}  // namespace
}  // namespace tessera::worker
