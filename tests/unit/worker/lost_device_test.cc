// The real engine on a device that is lost on the way.
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/builders.h"
#include "tests/unit/worker/engine_on_device.h"
#include "worker/shard_run.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::IsOk;
using ::testing::ElementsAre;

// The CPU behind a queue that fails, and goes on failing, once the test says
// so: as a GPU does after an illegal access.
class FailingBackend final : public CpuBackend {
 public:
  absl::Status Synchronize() override { return lost; }
  absl::Status health() const override { return lost; }

  absl::Status lost;
};

// Loses the device after the second UNet call and keeps what it hears.
class Listener final : public ExecutionListener {
 public:
  explicit Listener(FailingBackend& backend) : backend_(backend) {}

  void OnResult(TaskResult result) override {
    const auto* const failure = std::get_if<TaskFailure>(&result.outcome);
    if (failure == nullptr) {
      finished.push_back(result.task);
    } else {
      failed.push_back(failure->code + " " + failure->reason);
    }
  }
  void OnStage(std::string_view, double) override {}
  void OnUNetCall(int) override {
    if (++calls_ == 2) backend_.lost = absl::InternalError("illegal address");
  }
  void OnDeviceLost(const absl::Status& reason) override { lost = reason; }

  std::vector<int> finished;
  std::vector<std::string> failed;
  absl::Status lost;

 private:
  FailingBackend& backend_;
  int calls_ = 0;
};

TEST(LostDeviceTest, WhatIsInFlightFailsAndTheRestIsGivenBack) {
  const auto backend = std::make_shared<FailingBackend>();
  const EngineOnDevice on_device(backend, /*batch=*/2);
  const auto& engine = on_device.engine();
  ASSERT_THAT(engine, IsOk());
  Assignment assignment = MakeAssignment(4);
  for (ImageTask& task : assignment.tasks) {
    task.width = task.height = 64;
    task.num_inference_steps = 4;
  }
  testing::FakeClock clock{testing::FakeClock::Mode::kWaitsPassTime};
  ExecutionControl control(clock);
  Listener listener(*backend);
  std::vector<int> tasks(4);
  std::iota(tasks.begin(), tasks.end(), 0);

  ShardRun(
      assignment, /*batch=*/2, **engine,
      [](int, const model::Image&) -> absl::StatusOr<WrittenImage> {
        return WrittenImage();
      },
      control, listener)
      .Execute(tasks);

  EXPECT_THAT(listener.finished, ElementsAre());
  EXPECT_THAT(listener.failed,
              ElementsAre("UNAVAILABLE device lost: illegal address",
                          "UNAVAILABLE device lost: illegal address"));
  EXPECT_EQ(listener.lost, absl::InternalError("illegal address"));
  EXPECT_EQ((*engine)->health(), absl::InternalError("illegal address"));
}

}  // namespace
}  // namespace tessera::worker
