#include "worker/shard_run.h"

#include <numeric>
#include <string_view>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/worker/builders.h"
#include "tests/unit/worker/fake_engine.h"

namespace tessera::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Keeps the tasks that have a result, in order.
class Results final : public ExecutionListener {
 public:
  void OnResult(TaskResult result) override { tasks.push_back(result.task); }
  void OnStage(std::string_view, double) override {}
  void OnUNetCall(int) override {}
  void OnDeviceLost(const absl::Status&) override {}

  std::vector<int> tasks;
};

// A shard of pictures of one step each, one at a time, and a writer that waits
// for the engine.
class ShardRunTest : public ::testing::Test {
 protected:
  ShardRunTest() {
    for (ImageTask& task : assignment_.tasks) task.num_inference_steps = 1;
    engine_.on_step = [this] {
      absl::MutexLock lock(&mutex_);
      ++steps_;
    };
  }

  // Waits until the engine has begun `count` steps; says whether it did.
  bool WaitForSteps(int count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] { return steps_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Minutes(1));
  }

  int steps() {
    absl::MutexLock lock(&mutex_);
    return steps_;
  }

  void Run(const ImageOutbox::Write& write) {
    std::vector<int> tasks(assignment_.tasks.size());
    std::iota(tasks.begin(), tasks.end(), 0);
    ShardRun(assignment_, /*batch=*/1, engine_, write, control_, listener_)
        .Execute(tasks);
  }

  Assignment assignment_ = MakeAssignment(6);
  FakeEngine engine_;
  testing::FakeClock clock_{testing::FakeClock::Mode::kWaitsPassTime};
  ExecutionControl control_{clock_};
  Results listener_;
  absl::Mutex mutex_;
  int steps_ = 0;
};

// Two pictures may wait to be written, so the engine makes a third meanwhile.
TEST_F(ShardRunTest, TheEngineGoesOnWhileAFileIsWritten) {
  bool went_on = false;
  int most = 0;
  Run([&](int task, const model::Image&) -> absl::StatusOr<WrittenImage> {
    if (task == 0) {
      went_on = WaitForSteps(3);
      most = steps();
    }
    return WrittenImage();
  });

  EXPECT_TRUE(went_on);
  EXPECT_EQ(most, 3);
  EXPECT_THAT(listener_.tasks, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(ShardRunTest, DrainingWaitsForTheFilesOfFinishedPictures) {
  Run([&](int task, const model::Image&) -> absl::StatusOr<WrittenImage> {
    if (task == 0) {
      EXPECT_TRUE(WaitForSteps(2));
      control_.Drain();
    }
    return WrittenImage();
  });

  // What was begun is finished, reported and written; no more is begun.
  EXPECT_EQ(static_cast<int>(listener_.tasks.size()), steps());
  EXPECT_GE(steps(), 2);
  EXPECT_LT(steps(), 6);
}

TEST_F(ShardRunTest, NothingIsReportedOnceStopped) {
  int written = 0;
  Run([&](int task, const model::Image&) -> absl::StatusOr<WrittenImage> {
    if (task == 0) {
      EXPECT_TRUE(WaitForSteps(2));
      control_.Stop();
    }
    ++written;
    return WrittenImage();
  });

  EXPECT_THAT(listener_.tasks, IsEmpty());
  EXPECT_LT(written, 6);
}

}  // namespace
}  // namespace tessera::worker
