// The real engine on a device with too little memory for its batch.
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/worker/builders.h"
#include "tests/unit/worker/engine_on_device.h"
#include "worker/shard_run.h"

namespace tessera::worker {
namespace {

using ::testing::IsEmpty;

// So many that the UNet needs more memory than a picture's VAE.
constexpr int kPictures = 16;
// More than the batch and its plans need.
constexpr int64_t kPlenty = int64_t{256} << 20;
constexpr int64_t kStep = int64_t{64} << 10;

// Memory of the host of which there is only so much.
class LimitedMemory final : public kernels::Memory {
 public:
  explicit LimitedMemory(int64_t bytes) : left_(bytes) {}

  kernels::Place place() const override { return kernels::Place::kHost; }
  absl::StatusOr<void*> Allocate(int64_t bytes) override {
    if (bytes > left_) return absl::ResourceExhaustedError("limit");
    left_ -= bytes;
    return kernels::HostMemory().Allocate(bytes);
  }
  void Free(void* memory, int64_t bytes) override {
    left_ += bytes;
    kernels::HostMemory().Free(memory, bytes);
  }

 private:
  int64_t left_;
};

// The CPU, with limited memory for what a GPU keeps in its own.
class LimitedBackend final : public CpuBackend {
 public:
  explicit LimitedBackend(int64_t bytes) : memory_(bytes) {}

  kernels::Memory& memory() override { return memory_; }

 private:
  LimitedMemory memory_;
};

// What became of a shard: its pictures by task, and how many were in each UNet
// call.
class Outcome final : public ExecutionListener {
 public:
  void OnResult(TaskResult result) override {
    if (std::holds_alternative<FinishedImage>(result.outcome)) return;
    failures.push_back(std::get<TaskFailure>(result.outcome).code);
  }
  void OnStage(std::string_view, double) override {}
  void OnUNetCall(int images) override { batches.push_back(images); }
  void OnDeviceLost(const absl::Status&) override {}

  std::map<int, std::vector<uint8_t>> pictures;
  std::vector<int> batches;
  std::vector<std::string> failures;
};

// Makes a shard of pictures, all together, on a device of `bytes`. Returns
// nothing when not even the model fits.
std::unique_ptr<Outcome> MakeOn(int64_t bytes) {
  const EngineOnDevice on_device(std::make_shared<LimitedBackend>(bytes),
                                 kPictures);
  const auto& engine = on_device.engine();
  if (!engine.ok()) return nullptr;
  Assignment assignment = MakeAssignment(kPictures);
  for (ImageTask& task : assignment.tasks) task.width = task.height = 64;
  testing::FakeClock clock{testing::FakeClock::Mode::kWaitsPassTime};
  ExecutionControl control(clock);
  auto outcome = std::make_unique<Outcome>();
  const auto keep =
      [&](int task, const model::Image& image) -> absl::StatusOr<WrittenImage> {
    outcome->pictures[task] = image.rgb;
    return WrittenImage();
  };
  std::vector<int> tasks(kPictures);
  std::iota(tasks.begin(), tasks.end(), 0);
  ShardRun(assignment, kPictures, **engine, keep, control, *outcome)
      .Execute(tasks);
  return outcome;
}

// Whether all were in every call.
bool StayedTogether(const std::unique_ptr<Outcome>& outcome) {
  return outcome != nullptr && outcome->failures.empty() &&
         !outcome->batches.empty() &&
         *std::min_element(outcome->batches.begin(), outcome->batches.end()) ==
             kPictures;
}

TEST(MemoryPressureTest, FewerPicturesGoTogetherAndAreTheSame) {
  const auto plenty = MakeOn(kPlenty);
  ASSERT_TRUE(StayedTogether(plenty));
  // Looks for the least memory in which all go together.
  int64_t too_little = 0, enough = kPlenty;
  while (enough - too_little > kStep) {
    const int64_t middle = (too_little + enough) / 2 / kStep * kStep;
    (StayedTogether(MakeOn(middle)) ? enough : too_little) = middle;
  }

  const auto tight = MakeOn(too_little);

  ASSERT_NE(tight, nullptr);
  EXPECT_THAT(tight->failures, IsEmpty());
  EXPECT_EQ(tight->batches.front(), kPictures);
  EXPECT_EQ(tight->batches.back(), kPictures / 2);
  EXPECT_TRUE(tight->pictures == plenty->pictures);
}

}  // namespace
}  // namespace tessera::worker
