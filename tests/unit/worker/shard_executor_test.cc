#include "worker/shard_executor.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/worker/builders.h"
#include "tests/unit/worker/fake_engine.h"
#include "tests/unit/worker/output_tree.h"

namespace tessera::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecordingListener final : public ExecutionListener {
 public:
  void OnResult(TaskResult result) override {
    if (on_result) on_result(result);
    results[result.task] = std::move(result);
  }
  void OnStage(std::string_view stage, double seconds) override {
    stages[std::string(stage)] += seconds;
  }
  void OnUNetCall(int images) override { batches.push_back(images); }
  void OnDeviceLost(const absl::Status& reason) override { lost = reason; }

  const FinishedImage& Image(int task) {
    return std::get<FinishedImage>(results.at(task).outcome);
  }
  const TaskFailure& Failure(int task) {
    return std::get<TaskFailure>(results.at(task).outcome);
  }

  std::map<int, TaskResult> results;
  std::map<std::string, double> stages;
  std::vector<int> batches;
  std::function<void(const TaskResult&)> on_result;
  absl::Status lost;
};

class ShardExecutorTest : public ::testing::Test {
 protected:
  Assignment Make(int count) {
    Assignment assignment = MakeAssignment(count);
    assignment.output_uri = folder_.path();
    return assignment;
  }

  void Execute(const Assignment& assignment) {
    EngineExecutor executor(source_, {"worker-1", 2});
    executor.Execute(assignment, control_, listener_);
  }

  OutputTree folder_;
  testing::FakeClock clock_{testing::FakeClock::Mode::kWaitsPassTime};
  FakeEngineSource source_;
  FakeEngine& engine_ = source_.engine;
  ExecutionControl control_{clock_};
  RecordingListener listener_;
};

TEST_F(ShardExecutorTest, WritesEveryPictureAndSaysWhatItIs) {
  Execute(Make(3));

  EXPECT_THAT(folder_.Files(),
              ElementsAre("images/000003/a0-0.png", "images/000003/a1-0.png",
                          "images/000003/a2-0.png"));
  const FinishedImage& image = listener_.Image(1);
  EXPECT_EQ(image.custom_id, "a1");
  EXPECT_EQ(image.seed, 1u);
  EXPECT_EQ(image.path, "images/000003/a1-0.png");
  EXPECT_EQ(image.sha256, Sha256Hex(folder_.Read(image.path)));
  EXPECT_EQ(image.width, 8);
  EXPECT_EQ(image.worker, "worker-1");
  EXPECT_GE(image.seconds, 0.25);
}

TEST_F(ShardExecutorTest, RefillsThePlaceOfAFinishedPicture) {
  Assignment assignment = Make(3);
  assignment.tasks[0].num_inference_steps = 1;
  assignment.tasks[1].num_inference_steps = 3;
  assignment.tasks[2].num_inference_steps = 2;

  Execute(assignment);

  EXPECT_THAT(engine_.steps, ElementsAre(ElementsAre(0, 1), ElementsAre(1, 2),
                                         ElementsAre(1, 2)));
  EXPECT_THAT(listener_.batches, ElementsAre(2, 2, 2));
}

TEST_F(ShardExecutorTest, SizesAreNotMixed) {
  Assignment assignment = Make(3);
  assignment.tasks[1].width = 0;  // the model's own, 16
  assignment.tasks[1].height = 0;

  Execute(assignment);

  EXPECT_THAT(engine_.steps, ElementsAre(ElementsAre(0, 2), ElementsAre(0, 2),
                                         ElementsAre(1), ElementsAre(1)));
  EXPECT_EQ(listener_.Image(1).width, 16);
}

TEST_F(ShardExecutorTest, IsolateMakesOnePictureAtATime) {
  Assignment assignment = Make(2);
  assignment.isolate = true;

  Execute(assignment);

  EXPECT_THAT(listener_.batches, ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(listener_.results, SizeIs(2));
}

TEST_F(ShardExecutorTest, FinishedTasksAreNotMadeAgain) {
  Assignment assignment = Make(3);
  assignment.finished_tasks = {0, 2};

  Execute(assignment);

  EXPECT_THAT(listener_.results, SizeIs(1));
  EXPECT_EQ(listener_.Image(1).custom_id, "a1");
}

TEST_F(ShardExecutorTest, WarningComesWithTheFirstResultOnly) {
  engine_.warnings = {"half a LoRA"};

  Execute(Make(3));

  EXPECT_THAT(listener_.results[0].warnings, ElementsAre("half a LoRA"));
  EXPECT_THAT(listener_.results[1].warnings, IsEmpty());
  EXPECT_THAT(listener_.results[2].warnings, IsEmpty());
}

TEST_F(ShardExecutorTest, RefusedTaskFailsAlone) {
  Assignment assignment = Make(3);
  assignment.tasks[1].prompt = "bad";

  Execute(assignment);

  EXPECT_EQ(listener_.Failure(1).code, "INVALID_ARGUMENT");
  EXPECT_EQ(listener_.Failure(1).reason, "bad prompt");
  EXPECT_EQ(listener_.Image(0).custom_id, "a0");
  EXPECT_EQ(listener_.Image(2).custom_id, "a2");
}

TEST_F(ShardExecutorTest, PictureThatIsNotANumberFailsAlone) {
  Assignment assignment = Make(2);
  assignment.tasks[0].prompt = "nan";

  Execute(assignment);

  EXPECT_EQ(listener_.Failure(0).code, "INTERNAL");
  EXPECT_EQ(listener_.Image(1).custom_id, "a1");
}

TEST_F(ShardExecutorTest, NameThatLeavesTheFolderFailsAlone) {
  Assignment assignment = Make(2);
  assignment.tasks[0].custom_id = "../../x";

  Execute(assignment);

  EXPECT_EQ(listener_.Failure(0).code, "INVALID_ARGUMENT");
  EXPECT_THAT(folder_.Files(), ElementsAre("images/000003/a1-0.png"));
}

TEST_F(ShardExecutorTest, UnknownModelFailsEveryTask) {
  Assignment assignment = Make(2);
  assignment.model = "other";

  Execute(assignment);

  EXPECT_EQ(listener_.Failure(0).code, "NOT_FOUND");
  EXPECT_EQ(listener_.Failure(1).code, "NOT_FOUND");
}

TEST_F(ShardExecutorTest, OutputThatIsNoFolderFailsEveryTask) {
  Assignment assignment = Make(2);
  assignment.output_uri = "s3://bucket";

  Execute(assignment);

  EXPECT_EQ(listener_.Failure(1).code, "INVALID_ARGUMENT");
}

TEST_F(ShardExecutorTest, StopDropsWhatIsInFlight) {
  engine_.on_step = [&] {
    if (engine_.steps.size() == 1) control_.Stop();
  };

  Execute(Make(3));

  EXPECT_THAT(listener_.results, IsEmpty());
  EXPECT_EQ(engine_.size(), 0u);
  EXPECT_THAT(folder_.Files(), IsEmpty());
}

TEST_F(ShardExecutorTest, DrainFinishesWhatIsInFlightAndNoMore) {
  engine_.on_step = [&] { control_.Drain(); };

  Execute(Make(4));

  EXPECT_THAT(listener_.results, SizeIs(2));
}

TEST_F(ShardExecutorTest, ReportsTheStages) {
  Execute(Make(2));

  EXPECT_DOUBLE_EQ(listener_.stages["denoise"], 1.0);
  EXPECT_GT(listener_.stages["image_encode"], 0);
  EXPECT_GT(listener_.stages["image_write"], 0);
}

TEST_F(ShardExecutorTest, TemporaryFolderGoesWithTheLease) {
  Execute(Make(1));

  EXPECT_FALSE(
      std::filesystem::exists(folder_.path() + "/.tessera-tmp/worker-1"));
}

TEST_F(ShardExecutorTest, TooLittleMemoryHalvesTheBatchForGood) {
  source_.engine.fits = 1;
  EngineExecutor executor(source_, {"worker-1", 4});

  executor.Execute(Make(4), control_, listener_);
  // Four, then two, do not fit; each of the four is then made alone.
  EXPECT_THAT(listener_.results, SizeIs(4));
  for (int task = 0; task < 4; ++task) {
    EXPECT_EQ(listener_.Image(task).custom_id, "a" + std::to_string(task));
  }
  EXPECT_EQ(listener_.batches[0], 4);
  EXPECT_EQ(listener_.batches[1], 2);
  listener_.batches.clear();

  // The next shard does not try again.
  executor.Execute(Make(2), control_, listener_);
  for (const int images : listener_.batches) EXPECT_EQ(images, 1);
}

TEST_F(ShardExecutorTest, PictureThatDoesNotFitAloneFails) {
  source_.engine.fits = 0;

  Execute(Make(2));

  for (int task = 0; task < 2; ++task) {
    EXPECT_EQ(listener_.Failure(task).code, "RESOURCE_EXHAUSTED");
  }
}

TEST_F(ShardExecutorTest, PictureWithoutRoomWaitsUntilOthersHaveLeft) {
  Assignment assignment = Make(2);
  assignment.tasks[1].prompt = "long";

  Execute(assignment);

  listener_.Image(0);
  listener_.Image(1);
}

// Decoding asks for memory, too, when the others are still in the batch.
TEST_F(ShardExecutorTest, PictureWithoutRoomAtItsEndIsMadeAnew) {
  Assignment assignment = Make(3);
  assignment.tasks[0].prompt = "large";
  assignment.tasks[1].num_inference_steps = 5;

  Execute(assignment);

  for (int task = 0; task < 3; ++task) {
    EXPECT_EQ(listener_.Image(task).custom_id, "a" + std::to_string(task));
  }
  // One at a time from then on.
  EXPECT_EQ(listener_.batches.front(), 2);
  EXPECT_EQ(listener_.batches.back(), 1);
}

TEST_F(ShardExecutorTest, LostDeviceFailsWhatIsInFlightAndLeavesTheRest) {
  source_.engine.on_step = [&] {
    if (source_.engine.steps.size() == 1) {
      source_.engine.lost = absl::InternalError("illegal address");
    }
  };
  const Assignment assignment = Make(5);

  Execute(assignment);

  EXPECT_EQ(listener_.lost, absl::InternalError("illegal address"));
  // Two at a time: the third and later ones were never begun.
  EXPECT_THAT(listener_.results, SizeIs(2));
  for (int task = 0; task < 2; ++task) {
    EXPECT_EQ(listener_.Failure(task).code, "UNAVAILABLE");
    EXPECT_EQ(listener_.Failure(task).reason, "device lost: illegal address");
  }
  EXPECT_EQ(source_.engine.size(), 0u);
}

}  // namespace
}  // namespace tessera::worker
