// How an arena records a pass, on a device that only counts.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/arena.h"
#include "kernels/cpu/op_table.h"
#include "kernels/device.h"

namespace tessera::kernels {
namespace {

using ::testing::ElementsAre;

// What the backend below was asked for, in order.
using Events = std::vector<std::string>;

class CountingRecording final : public Recording {
 public:
  explicit CountingRecording(Events& events) : events_(events) {}
  ~CountingRecording() override { events_.push_back("forget"); }

  absl::Status Replay() override {
    events_.push_back("replay");
    return absl::OkStatus();
  }

 private:
  Events& events_;
};

class CountingBackend final : public DeviceBackend {
 public:
  explicit CountingBackend(Events& events) : events_(events) {}

  Memory& memory() override { return HostMemory(); }
  absl::Status Synchronize() override { return absl::OkStatus(); }
  absl::Status health() const override { return absl::OkStatus(); }
  bool can_record() const override { return true; }
  absl::Status BeginRecording() override {
    events_.push_back("begin");
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<Recording>> EndRecording() override {
    events_.push_back("end");
    if (!refusal.ok()) return refusal;
    return std::make_unique<CountingRecording>(events_);
  }

  absl::Status refusal;

 private:
  Events& events_;
};

class RecordingTest : public testing::Test {
 protected:
  RecordingTest() {
    auto backend = std::make_unique<CountingBackend>(events_);
    backend_ = backend.get();
    device_ = std::make_unique<Device>(DeviceParts{
        .name = "counting", .ops = cpu::Ops(), .backend = std::move(backend)});
    stream_ = std::make_unique<Stream>(*device_);
  }

  absl::Status Run(std::vector<uintptr_t> inputs) {
    return arena_.RunRecorded(*stream_, inputs, [&] {
      arena_.Allocate({8}, DType::kF32);
      events_.push_back(stream_->planning() ? "plan" : "run");
    });
  }

  Events events_;
  CountingBackend* backend_ = nullptr;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  Arena arena_;
};

TEST_F(RecordingTest, SecondRunIsRecordedAndLaterOnesReplayed) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Run({1, 2}).ok());

  EXPECT_THAT(events_, ElementsAre("plan", "run", "begin", "run", "end",
                                   "replay", "replay", "replay"));
}

TEST_F(RecordingTest, OtherInputsAreRunAndRecordedAnew) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Run({1, 2}).ok());
  events_.clear();

  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Run({1, 3}).ok());

  EXPECT_THAT(events_, ElementsAre("forget", "run", "begin", "run", "end",
                                   "replay", "replay"));
}

TEST_F(RecordingTest, PassThatCannotBeRecordedRunsOpByOp) {
  backend_->refusal = absl::InternalError("not recordable");
  ASSERT_TRUE(Run({1}).ok());
  events_.clear();

  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Run({1}).ok());

  EXPECT_THAT(events_, ElementsAre("begin", "run", "end", "run", "run"));
}

TEST_F(RecordingTest, ErrorOfAnOpEndsTheRecording) {
  ASSERT_TRUE(Run({1}).ok());
  events_.clear();

  const absl::Status status =
      arena_.RunRecorded(*stream_, std::vector<uintptr_t>{1}, [&] {
        arena_.Allocate({8}, DType::kF32);
        stream_->Fail(absl::InternalError("bad op"));
      });

  // Is the error of the run op by op that followed.
  EXPECT_EQ(status, absl::InternalError("bad op"));
  EXPECT_THAT(events_, ElementsAre("begin", "end", "forget"));
}

}  // namespace
}  // namespace tessera::kernels
