#include "worker/lora_prefetcher.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/builders.h"
#include "tests/unit/worker/lora/cache_harness.h"
#include "worker/node_loras.h"
#include "worker/prefetching_executor.h"

namespace tessera::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LoraPrefetcherTest : public lora::CacheTest {
 protected:
  const std::string a_ = source_.Put("a");
  const std::string b_ = source_.Put("b");
  const std::string c_ = source_.Put("c");
  const std::unique_ptr<lora::NodeCache> cache_ = Make(1000);
};

TEST_F(LoraPrefetcherTest, FetchesInOrder) {
  LoraPrefetcher prefetcher(*cache_);

  prefetcher.Want({b_, a_});
  prefetcher.AwaitIdle();

  EXPECT_THAT(source_.fetched, ElementsAre(b_, a_));
  EXPECT_EQ(cache_->Held(10).size(), 2u);
}

TEST_F(LoraPrefetcherTest, GoesOnAfterAFailure) {
  LoraPrefetcher prefetcher(*cache_);
  const std::string unknown(64, '0');

  prefetcher.Want({unknown, "no digest", a_});
  prefetcher.AwaitIdle();

  EXPECT_THAT(source_.fetched, ElementsAre(unknown, a_));
}

TEST_F(LoraPrefetcherTest, NewWantsReplaceOldOnes) {
  absl::Notification begun, go_on;
  source_.on_fetch = [&] {
    if (begun.HasBeenNotified()) return;
    begun.Notify();
    go_on.WaitForNotification();
  };
  LoraPrefetcher prefetcher(*cache_);
  prefetcher.Want({a_, b_});
  begun.WaitForNotification();

  prefetcher.Want({c_});
  go_on.Notify();
  prefetcher.AwaitIdle();

  EXPECT_THAT(source_.fetched, ElementsAre(a_, c_));
}

TEST_F(LoraPrefetcherTest, TheNodesLorasEndWithoutFetchingTheRest) {
  absl::Notification begun, stopped;
  source_.on_fetch = [&] {
    begun.Notify();
    stopped.WaitForNotification();
  };
  source_.on_stop = [&] { stopped.Notify(); };
  auto loras = NodeLoras::Open(folder(), 1000, source_, events_, clock_);
  ASSERT_TRUE(loras.ok()) << loras.status();
  (*loras)->prefetcher().Want({a_, b_});
  begun.WaitForNotification();

  loras->reset();

  EXPECT_THAT(source_.fetched, ElementsAre(a_));
}

// An executor that only says that it was called.
class RecordingExecutor final : public ShardExecutor {
 public:
  void Execute(const Assignment&, ExecutionControl&,
               ExecutionListener&) override {
    ++executions;
  }
  int executions = 0;
};

// A listener for executors that say nothing.
class SilentListener final : public ExecutionListener {
 public:
  void OnResult(TaskResult) override {}
  void OnStage(std::string_view, double) override {}
  void OnUNetCall(int) override {}
  void OnDeviceLost(const absl::Status&) override {}
};

TEST_F(LoraPrefetcherTest, WantsTheShardsOwnThenTheNextOnes) {
  Assignment assignment = MakeAssignment(3);
  assignment.tasks[0].loras = {{"b", 1, b_}, {"given", 1, ""}};
  assignment.tasks[2].loras = {{"a", 1, a_}, {"b", 1, b_}};
  assignment.prefetch_loras = {a_, c_};

  EXPECT_THAT(LorasToFetch(assignment), ElementsAre(b_, a_, c_));
  EXPECT_THAT(LorasToFetch(MakeAssignment(1)), IsEmpty());
}

TEST_F(LoraPrefetcherTest, FetchesWhileTheShardIsExecuted) {
  LoraPrefetcher prefetcher(*cache_);
  RecordingExecutor recording;
  PrefetchingExecutor executor(recording, &prefetcher);
  ExecutionControl control(clock_);
  SilentListener listener;
  Assignment assignment = MakeAssignment(1);
  assignment.prefetch_loras = {a_};

  executor.Execute(assignment, control, listener);
  prefetcher.AwaitIdle();

  EXPECT_EQ(recording.executions, 1);
  EXPECT_THAT(source_.fetched, ElementsAre(a_));
}

TEST_F(LoraPrefetcherTest, ExecutesWithoutAPrefetcherToo) {
  RecordingExecutor recording;
  PrefetchingExecutor executor(recording, nullptr);
  ExecutionControl control(clock_);
  SilentListener listener;

  executor.Execute(MakeAssignment(1), control, listener);

  EXPECT_EQ(recording.executions, 1);
}

}  // namespace
}  // namespace tessera::worker
