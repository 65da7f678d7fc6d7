#include "coordinator/service/codec.h"

#include <limits>
#include <string>

#include "absl/time/time.h"
#include "coordinator/service/shard_codec.h"
#include "coordinator/service/worker_codec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

v1::JobHeader GoodHeader() {
  v1::JobHeader header;
  header.set_model("emoji-sd");
  header.set_output_uri("/out");
  return header;
}

ShardTasks TwoTasks() {
  ImageTask task{.line = 3,
                 .custom_id = "a",
                 .index = 1,
                 .prompt = "ein Apfel 🍎",
                 .seed = std::numeric_limits<uint64_t>::max(),
                 .width = 64,
                 .sampler = "ddim",
                 .loras = {{"ink", -0.5f, "aa"}}};
  ShardTasks tasks = {task, task};
  tasks[1].index = 2;
  return tasks;
}

TEST(CodecTest, FillsInWhatAHeaderLeavesOut) {
  const auto header = DecodeJobHeader(GoodHeader(), nullptr);

  ASSERT_THAT(header, IsOk());
  EXPECT_EQ(header->job.shard_size, 64);
  EXPECT_FALSE(header->job.max_failed_images.has_value());
  EXPECT_FALSE(header->job.allow_unmatched_loras);
  EXPECT_EQ(header->lines.defaults.num_inference_steps, 50);
  EXPECT_EQ(header->lines.defaults.guidance_scale, 7.5f);
  EXPECT_EQ(header->lines.defaults.width, 0);
  EXPECT_THAT(header->job.request_json, HasSubstr("emoji-sd"));
}

TEST(CodecTest, NamesTheBadFieldOfAHeader) {
  const auto error = [](auto change) {
    v1::JobHeader header = GoodHeader();
    change(header);
    const auto decoded = DecodeJobHeader(header, nullptr);
    EXPECT_THAT(decoded, StatusIs(kInvalid));
    return std::string(decoded.status().message());
  };

  EXPECT_THAT(error([](auto& h) { h.set_model("a/b"); }),
              StartsWith("model: "));
  EXPECT_THAT(error([](auto& h) { h.clear_output_uri(); }),
              StartsWith("output_uri: "));
  EXPECT_THAT(error([](auto& h) { h.set_shard_size(65537); }),
              StartsWith("shard_size: "));
  EXPECT_THAT(error([](auto& h) { h.set_request_id("a\nb"); }),
              StartsWith("request_id: "));
  EXPECT_THAT(error([](auto& h) { h.set_max_failed_images(-1); }),
              StartsWith("max_failed_images: "));
  EXPECT_THAT(error([](auto& h) { h.mutable_defaults()->set_width(65); }),
              StartsWith("defaults.width: must be a multiple of 8"));
  EXPECT_THAT(error([](auto& h) { h.mutable_defaults()->set_sampler("x"); }),
              StartsWith("defaults.sampler: "));
  EXPECT_THAT(error([](auto& h) {
                h.mutable_defaults()->set_guidance_scale(
                    std::numeric_limits<float>::quiet_NaN());
              }),
              StartsWith("defaults.guidance_scale: "));
  EXPECT_THAT(error([](auto& h) {
                h.mutable_defaults()->add_loras()->set_name("nope");
              }),
              HasSubstr("no LoRA named \"nope\" is registered"));
}

TEST(CodecTest, PageTokensAndSizesAreChecked) {
  EXPECT_THAT(DecodePageToken(""), IsOkAndHolds(0));
  EXPECT_THAT(DecodePageToken(EncodePageToken(17)), IsOkAndHolds(17));
  for (const char* token :
       {"0", "-1", " 1", "01", "x", "1e3", "99999999999999999999"}) {
    EXPECT_THAT(DecodePageToken(token), StatusIs(kInvalid)) << token;
  }
  EXPECT_THAT(DecodePageSize(0, 50), IsOkAndHolds(50));
  EXPECT_THAT(DecodePageSize(5000, 50), IsOkAndHolds(1000));
  EXPECT_THAT(DecodePageSize(-1, 50), StatusIs(kInvalid));
}

TEST(CodecTest, LeavesOutTheTimesThatAreNotYet) {
  Job job;
  job.create_time = absl::FromUnixMillis(1500);

  const v1::Job proto = EncodeJob(job);

  EXPECT_EQ(proto.create_time().seconds(), 1);
  EXPECT_EQ(proto.create_time().nanos(), 500'000'000);
  EXPECT_FALSE(proto.has_start_time());
  EXPECT_FALSE(proto.has_end_time());
}

TEST(ShardCodecTest, AShardSurvivesStorage) {
  const std::string payload = EncodeShard(TwoTasks());

  const auto shard = DecodeShard(payload);
  const auto identities = ShardTaskReader().ReadTasks(payload);

  ASSERT_THAT(shard, IsOk());
  ASSERT_EQ(shard->tasks_size(), 2);
  EXPECT_EQ(shard->tasks(0).prompt(), "ein Apfel 🍎");
  EXPECT_EQ(shard->tasks(0).seed(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(shard->tasks(0).loras(0).scale(), -0.5f);
  EXPECT_EQ(shard->tasks(0).loras(0).sha256(), "aa");
  ASSERT_THAT(identities, IsOk());
  EXPECT_EQ((*identities)[1].line, 3);
  EXPECT_EQ((*identities)[1].index, 2);
}

TEST(ShardCodecTest, DamageIsFoundAtEveryLength) {
  const std::string payload = EncodeShard(TwoTasks());

  for (size_t size = 0; size < payload.size(); ++size) {
    EXPECT_THAT(DecodeShard(payload.substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(WorkerCodecTest, RefusesWhatNoWorkerSends) {
  internal::v1::SynchronizeRequest request;
  request.set_worker_id("w");
  EXPECT_THAT(DecodeSynchronize(request), StatusIs(kInvalid));
  request.mutable_idle();
  EXPECT_THAT(DecodeSynchronize(request), IsOk());
  request.mutable_executing()->mutable_lease()->set_shard_index(-1);
  EXPECT_THAT(DecodeSynchronize(request), StatusIs(kInvalid));
  request.mutable_idle();
  request.set_worker_id(std::string(129, 'w'));
  EXPECT_THAT(DecodeSynchronize(request), StatusIs(kInvalid));

  internal::v1::CommitResultsRequest commit;
  commit.set_worker_id("w");
  commit.mutable_lease()->set_job_id("job");
  commit.add_results()->set_task(2);
  EXPECT_THAT(DecodeCommit(commit),
              StatusIs(kInvalid, HasSubstr("task 2 has no outcome")));
}

TEST(WorkerCodecTest, EncodesDurationsAndAssignments) {
  SynchronizeReply reply;
  reply.next_synchronization = absl::Milliseconds(2500);
  Assignment& assignment = reply.desired.emplace<Assignment>();
  assignment.lease.shard.job = JobId("job");
  assignment.lease.epoch = 7;
  assignment.payload = EncodeShard(TwoTasks());
  assignment.isolate = true;

  const auto proto = EncodeSynchronize(reply);

  ASSERT_THAT(proto, IsOk());
  EXPECT_EQ(proto->next_synchronization().seconds(), 2);
  EXPECT_EQ(proto->next_synchronization().nanos(), 500'000'000);
  EXPECT_EQ(proto->execute().lease().epoch(), 7);
  EXPECT_EQ(proto->execute().shard().tasks_size(), 2);
  EXPECT_TRUE(proto->execute().isolate());
}

}  // namespace
}  // namespace tessera::coordinator
