#include "worker/codec.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/builders.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;

TEST(CodecTest, EncodesAnIdleCall) {
  WorkerFacts facts;
  facts.worker_id = "worker-1";
  facts.host = "node";
  facts.device = "cpu";
  facts.threads = 2;
  facts.version = "1.0";
  facts.models = {"a", "b"};
  facts.batch = 4;
  SynchronizeCall call;
  call.sequence = 7;
  call.draining = true;

  const auto request = Encode(facts, call);

  EXPECT_EQ(request.worker_id(), "worker-1");
  EXPECT_EQ(request.sequence(), 7u);
  EXPECT_TRUE(request.has_idle());
  EXPECT_TRUE(request.draining());
  EXPECT_EQ(request.info().host(), "node");
  EXPECT_EQ(request.info().threads(), 2);
  EXPECT_EQ(request.info().batch(), 4);
  EXPECT_THAT(request.info().models(), ElementsAre("a", "b"));
}

TEST(CodecTest, EncodesAnExecutingCall) {
  SynchronizeCall call;
  call.lease = Lease{"job", 3, 9};
  call.tasks_finished = 5;
  call.held_loras = {"aa", "bb"};

  const auto request = Encode(WorkerFacts{}, call);

  EXPECT_EQ(request.executing().lease().job_id(), "job");
  EXPECT_EQ(request.executing().lease().shard_index(), 3);
  EXPECT_EQ(request.executing().lease().epoch(), 9);
  EXPECT_EQ(request.executing().tasks_finished(), 5);
  EXPECT_THAT(request.info().held_loras(), ElementsAre("aa", "bb"));
}

TEST(CodecTest, EncodesBothOutcomesOfACommit) {
  FinishedImage image;
  image.custom_id = "a";
  image.index = 1;
  image.seed = 18446744073709551615u;
  image.path = "images/000000/a-1.png";
  image.sha256 = "ff";
  image.width = 64;
  image.height = 32;
  image.worker = "w";
  image.seconds = 1.5;
  CommitCall call;
  call.lease = {"job", 0, 1};
  call.results = {{0, image}, {1, TaskFailure{"INTERNAL", "reason"}}};
  call.results[1].warnings = {"half a LoRA"};
  call.release = true;

  const auto request = Encode("worker-1", call);

  ASSERT_EQ(request.results_size(), 2);
  EXPECT_EQ(request.results(0).image().seed(), 18446744073709551615u);
  EXPECT_EQ(request.results(0).image().path(), "images/000000/a-1.png");
  EXPECT_EQ(request.results(0).image().height(), 32);
  EXPECT_EQ(request.results(0).image().seconds(), 1.5);
  EXPECT_EQ(request.results(1).task(), 1);
  EXPECT_EQ(request.results(1).failure().code(), "INTERNAL");
  EXPECT_EQ(request.results(0).warnings_size(), 0);
  EXPECT_THAT(request.results(1).warnings(), ElementsAre("half a LoRA"));
  EXPECT_TRUE(request.release());
}

internal::v1::SynchronizeResponse AssignmentResponse() {
  internal::v1::SynchronizeResponse response;
  response.mutable_next_synchronization()->set_seconds(5);
  internal::v1::Assignment& assignment = *response.mutable_execute();
  assignment.mutable_lease()->set_job_id("job");
  assignment.mutable_lease()->set_epoch(2);
  assignment.set_model("emoji-sd");
  assignment.set_output_uri("/out");
  assignment.set_isolate(true);
  internal::v1::ImageTask& task = *assignment.mutable_shard()->add_tasks();
  task.set_custom_id("a");
  task.set_prompt("an apple");
  task.set_seed(11);
  task.set_num_inference_steps(20);
  task.set_guidance_scale(7.5f);
  task.set_width(64);
  task.set_sampler("euler");
  task.add_loras()->set_name("ink");
  task.mutable_loras(0)->set_scale(0.5f);
  task.mutable_loras(0)->set_sha256("ff");
  assignment.add_prefetch_loras("aa");
  assignment.set_allow_unmatched_loras(true);
  assignment.add_finished_tasks(0);
  return response;
}

TEST(CodecTest, DecodesAnAssignment) {
  const auto answer = Decode(AssignmentResponse());

  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->next_synchronization, absl::Seconds(5));
  const auto& assignment = std::get<Assignment>(answer->desired);
  EXPECT_EQ(assignment.lease, (Lease{"job", 0, 2}));
  EXPECT_EQ(assignment.model, "emoji-sd");
  EXPECT_TRUE(assignment.isolate);
  EXPECT_THAT(assignment.finished_tasks, ElementsAre(0));
  ASSERT_EQ(assignment.tasks.size(), 1u);
  EXPECT_EQ(assignment.tasks[0].prompt, "an apple");
  EXPECT_EQ(assignment.tasks[0].seed, 11u);
  EXPECT_EQ(assignment.tasks[0].sampler, "euler");
  EXPECT_THAT(assignment.tasks[0].loras,
              ElementsAre(LoraUse{"ink", 0.5f, "ff", true}));
  EXPECT_THAT(assignment.prefetch_loras, ElementsAre("aa"));
}

TEST(CodecTest, RefusesAFinishedTaskThatIsNotThere) {
  internal::v1::SynchronizeResponse response = AssignmentResponse();
  response.mutable_execute()->add_finished_tasks(1);

  EXPECT_THAT(Decode(response), StatusIs(absl::StatusCode::kInternal));
}

TEST(CodecTest, RefusesAnAnswerWithoutDesire) {
  EXPECT_THAT(Decode(internal::v1::SynchronizeResponse()),
              StatusIs(absl::StatusCode::kInternal));
}

TEST(CodecTest, DecodesStopAndBoundsThePause) {
  internal::v1::SynchronizeResponse response;
  response.mutable_stop()->set_reason("cancelled");
  response.mutable_next_synchronization()->set_seconds(1'000'000);

  const auto answer = Decode(response);

  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<StopLease>(answer->desired).reason, "cancelled");
  EXPECT_EQ(answer->next_synchronization, absl::Minutes(1));
  response.mutable_next_synchronization()->set_seconds(-5);
  EXPECT_EQ(Decode(response)->next_synchronization, absl::ZeroDuration());
}

}  // namespace
}  // namespace tessera::worker
