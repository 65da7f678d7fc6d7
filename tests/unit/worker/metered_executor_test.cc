#include "worker/metered_executor.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/worker/builders.h"

namespace tessera::worker {
namespace {

using ::testing::HasSubstr;

class ScriptedExecutor final : public ShardExecutor {
 public:
  void Execute(const Assignment&, ExecutionControl&,
               ExecutionListener& listener) override {
    listener.OnUNetCall(3);
    listener.OnStage("denoise", 1.5);
    listener.OnResult(MakeResult(0));
    listener.OnResult({1, TaskFailure{"INTERNAL", "not a number"}});
    listener.OnDeviceLost(absl::InternalError("lost"));
  }
};

class CountingListener final : public ExecutionListener {
 public:
  void OnResult(TaskResult) override { ++results; }
  void OnStage(std::string_view, double) override { ++stages; }
  void OnUNetCall(int) override { ++calls; }
  void OnDeviceLost(const absl::Status& reason) override { lost = reason; }

  int results = 0;
  int stages = 0;
  int calls = 0;
  absl::Status lost;
};

class MeteredExecutorTest : public ::testing::Test {
 protected:
  std::string Page() {
    return prometheus::TextSerializer().Serialize(
        registry_.prometheus()->Collect());
  }

  metrics::Registry registry_;
  WorkerMetrics metrics_{registry_};
};

TEST_F(MeteredExecutorTest, CountsEveryEventAndPassesItOn) {
  ScriptedExecutor scripted;
  MeteredExecutor executor(scripted, metrics_);
  testing::FakeClock clock;
  ExecutionControl control(clock);
  CountingListener listener;

  executor.Execute(MakeAssignment(2), control, listener);

  EXPECT_EQ(listener.results, 2);
  EXPECT_EQ(listener.stages, 1);
  EXPECT_EQ(listener.calls, 1);
  EXPECT_EQ(listener.lost, absl::InternalError("lost"));
  const std::string page = Page();
  EXPECT_THAT(page,
              HasSubstr("tessera_worker_images_total{result=\"done\"} 1"));
  EXPECT_THAT(page,
              HasSubstr("tessera_worker_images_total{result=\"INTERNAL\"} 1"));
  EXPECT_THAT(page, HasSubstr("tessera_worker_unet_calls_total 1"));
  EXPECT_THAT(page, HasSubstr("tessera_worker_batch_images_sum 3"));
  EXPECT_THAT(
      page,
      HasSubstr("tessera_worker_stage_seconds_total{stage=\"denoise\"} 1.5"));
}

TEST_F(MeteredExecutorTest, SeriesExistBeforeTheFirstEvent) {
  const std::string page = Page();

  EXPECT_THAT(page,
              HasSubstr("tessera_worker_images_total{result=\"done\"} 0"));
  EXPECT_THAT(page, HasSubstr("tessera_worker_commits_total"));
  EXPECT_THAT(page, HasSubstr("tessera_worker_synchronize_failures_total 0"));
}

TEST_F(MeteredExecutorTest, CountsCommitsAndLoads) {
  metrics_.CountCommit("ABORTED");
  metrics_.CountSynchronizeFailure();
  metrics_.ObserveModelLoad(absl::Seconds(3));

  const std::string page = Page();
  EXPECT_THAT(page,
              HasSubstr("tessera_worker_commits_total{result=\"ABORTED\"} 1"));
  EXPECT_THAT(page, HasSubstr("tessera_worker_synchronize_failures_total 1"));
  EXPECT_THAT(page, HasSubstr("tessera_worker_model_load_seconds_sum 3"));
}

}  // namespace
}  // namespace tessera::worker
