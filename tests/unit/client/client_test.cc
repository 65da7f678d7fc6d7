#include "client/client.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/fake_service.h"
#include "tests/unit/client/instant_clock.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const grpc::Status kAway(grpc::StatusCode::UNAVAILABLE, "restarting");
const grpc::Status kRefused(grpc::StatusCode::INVALID_ARGUMENT,
                            "line 2: width: not a multiple of 8: 513");

class ClientTest : public ::testing::Test {
 protected:
  Client MakeClient(const std::string& address) {
    ClientOptions options;
    options.coordinator = address;
    options.on_retry = [this](const absl::Status&) { ++retries_; };
    return Connect(options, clock_);
  }
  PromptsFile Prompts(const std::string& text) {
    return *PromptsFile::Open(folder_.Write("p.jsonl", text));
  }

  ScratchFolder folder_;
  InstantClock clock_;
  FakeService service_;
  int retries_ = 0;
};

TEST_F(ClientTest, SubmitSendsHeaderAndWholeFile) {
  service_.job.set_job_id("job-7");
  v1::JobHeader header;
  header.set_request_id("req-1");
  const std::string text(700'000, 'p');

  const auto job =
      MakeClient(service_.address()).CreateJob(header, Prompts(text));

  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->job_id(), "job-7");
  ASSERT_EQ(service_.headers.size(), 1u);
  EXPECT_EQ(service_.headers[0].request_id(), "req-1");
  EXPECT_EQ(service_.prompts[0], text);
}

TEST_F(ClientTest, SubmitIsRepeatedWholeWithTheSameRequestId) {
  service_.failures = {kAway, kAway};
  v1::JobHeader header;
  header.set_request_id("req-1");

  const auto job = MakeClient(service_.address())
                       .CreateJob(header, Prompts("{\"prompt\":\"a\"}\n"));

  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(retries_, 2);
  ASSERT_EQ(service_.headers.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(service_.headers[i].request_id(), "req-1");
    EXPECT_EQ(service_.prompts[i], "{\"prompt\":\"a\"}\n");
  }
}

TEST_F(ClientTest, RefusalIsNotRepeated) {
  service_.failures = {kRefused};

  const auto job =
      MakeClient(service_.address()).CreateJob(v1::JobHeader(), Prompts("x"));

  EXPECT_EQ(job.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(job.status().message(), "line 2: width: not a multiple of 8: 513");
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(ClientTest, EmptyFileIsSentAsHeaderAlone) {
  ASSERT_TRUE(MakeClient(service_.address())
                  .CreateJob(v1::JobHeader(), Prompts(""))
                  .ok());

  EXPECT_EQ(service_.headers.size(), 1u);
  EXPECT_THAT(service_.prompts, ElementsAre(""));
}

TEST_F(ClientTest, UnreachableServiceEndsPatience) {
  const absl::Time before = clock_.Now();

  const auto job = MakeClient("127.0.0.1:1").GetJob("job-1");

  EXPECT_EQ(job.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(job.status().message()),
              HasSubstr("cannot reach the coordinator at 127.0.0.1:1"));
  EXPECT_GT(retries_, 3);
  EXPECT_LT(clock_.Now() - before, absl::Seconds(20));
}

TEST_F(ClientTest, ServiceThatAnsweredOnceIsWaitedForLonger) {
  Client client = MakeClient(service_.address());
  ASSERT_TRUE(client.GetJob("job-1").ok());
  service_.failures.assign(40, kAway);

  const absl::Time before = clock_.Now();
  EXPECT_TRUE(client.GetJob("job-1").ok());

  EXPECT_GT(clock_.Now() - before, absl::Seconds(20));
}

TEST_F(ClientTest, WatchGoesOnAfterTheStreamBreaks) {
  service_.watched = {{MakeJob(v1::JOB_STATE_RUNNING, 1, 3)},
                      {MakeJob(v1::JOB_STATE_RUNNING, 2, 3)},
                      {MakeJob(v1::JOB_STATE_SUCCEEDED, 3, 3)}};
  service_.failures = {kAway, grpc::Status::OK};
  std::vector<int64_t> seen;

  const auto job =
      MakeClient(service_.address()).WatchJob("job-1", [&](const v1::Job& now) {
        seen.push_back(now.images().done());
      });

  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  EXPECT_EQ(retries_, 2);
}

TEST_F(ClientTest, WatchOfAnUnknownJobFails) {
  service_.failures = {grpc::Status(grpc::StatusCode::NOT_FOUND, "no job: x")};

  const auto job =
      MakeClient(service_.address()).WatchJob("x", [](const v1::Job&) {});

  EXPECT_EQ(job.status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ClientTest, ListsAreFetched) {
  service_.job.set_job_id("job-9");
  service_.workers.emplace_back().set_worker_id("worker-1");
  service_.images.emplace_back().set_custom_id("a");
  Client client = MakeClient(service_.address());

  EXPECT_EQ(client.ListJobs(v1::ListJobsRequest())->jobs(0).job_id(), "job-9");
  EXPECT_EQ(client.ListWorkers()->workers(0).worker_id(), "worker-1");
  EXPECT_EQ(client.ListImages(v1::ListImagesRequest())->images(0).custom_id(),
            "a");
  EXPECT_EQ(client.CancelJob("job-9")->job_id(), "job-9");
}

}  // namespace
}  // namespace tessera::client
