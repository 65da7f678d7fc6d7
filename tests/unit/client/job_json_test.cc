#include "client/job_json.h"

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/unit/client/fake_service.h"

namespace tessera::client {
namespace {

using nlohmann::json;

TEST(JobJsonTest, CountsAreNumbersAndStatesLackTheirPrefix) {
  v1::Job job = MakeJob(v1::JOB_STATE_RUNNING, 12, 48);
  job.mutable_create_time()->set_seconds(1'000'000'000);
  job.mutable_create_time()->set_nanos(500'000'000);

  const json object = json::parse(ToJson(job), nullptr, false);

  ASSERT_TRUE(object.is_object());
  EXPECT_EQ(object["state"], "RUNNING");
  EXPECT_EQ(object["images"]["done"], 12);
  EXPECT_EQ(object["images"]["total"], 48);
  EXPECT_EQ(object["create_time"], "2001-09-09T01:46:40.500Z");
  EXPECT_FALSE(object.contains("end_time"));
  EXPECT_FALSE(object.contains("message"));
  EXPECT_FALSE(object.contains("warnings"));
}

TEST(JobJsonTest, WarningsAreAnArray) {
  v1::Job job = MakeJob(v1::JOB_STATE_RUNNING, 1, 2);
  job.add_warnings("half a LoRA");

  EXPECT_EQ(json::parse(ToJson(job))["warnings"], json::array({"half a LoRA"}));
}

TEST(JobJsonTest, SeedKeepsItsSixtyFourBits) {
  v1::Image image;
  image.set_seed(18446744073709551615u);

  EXPECT_EQ(json::parse(ToJson(image))["seed"].get<uint64_t>(),
            18446744073709551615u);
}

TEST(JobJsonTest, WorkerNamesItsShardOnlyWhileItHasOne) {
  v1::Worker worker;
  worker.set_state(v1::WORKER_STATE_DRAINING);
  worker.add_models("emoji-sd");
  EXPECT_FALSE(json::parse(ToJson(worker)).contains("shard_index"));

  worker.set_job_id("job-1");
  worker.set_shard_index(0);
  const json object = json::parse(ToJson(worker));
  EXPECT_EQ(object["shard_index"], 0);
  EXPECT_EQ(object["state"], "DRAINING");
  EXPECT_EQ(object["models"][0], "emoji-sd");
}

TEST(JobJsonTest, LineHoldsNoLineBreak) {
  v1::Job job = MakeJob(v1::JOB_STATE_FAILED, 0, 1);
  job.set_message("first\nsecond");

  EXPECT_EQ(ToJson(job).find('\n'), std::string::npos);
  EXPECT_EQ(json::parse(ToJson(job))["message"], "first\nsecond");
}

}  // namespace
}  // namespace tessera::client
