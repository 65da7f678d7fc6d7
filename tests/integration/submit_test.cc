#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/service_harness.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(SubmitTest, EveryPictureIsDeliveredOnceAndInInputOrder) {
  ServiceHarness service;
  v1::JobHeader header = service.Header("out");
  header.set_shard_size(3);
  header.set_seed(11);
  const std::string prompts =
      "{\"prompt\":\"a\",\"num_images_per_prompt\":4,\"seed\":7}\n"
      "{\"prompt\":\"b\",\"width\":128,\"custom_id\":\"bee\"}\n"
      "\n"
      "{\"prompt\":\"c\",\"num_images_per_prompt\":2}";

  const auto job = service.Submit(header, prompts, 5);
  ASSERT_THAT(job, IsOk());
  EXPECT_EQ(job->lines(), 3);
  EXPECT_EQ(job->images().total(), 7);
  EXPECT_EQ(job->shards(), 3);
  EXPECT_EQ(job->state(), v1::JOB_STATE_QUEUED);
  FakeWorker worker = service.Worker("w1");
  ASSERT_THAT(worker.Work(3), IsOk());
  const auto states = service.Watch(job->job_id());

  ASSERT_THAT(states, IsOk());
  EXPECT_EQ(states->back().state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(states->back().images().done(), 7);
  std::string order;
  const auto lines = service.Lines("out", "manifest.jsonl");
  for (const auto& line : lines) {
    absl::StrAppend(&order, line["custom_id"].get<std::string>(), "-",
                    line["index"].get<int>(), " ");
    EXPECT_TRUE(std::filesystem::exists(service.Output("out") + "/" +
                                        line["path"].get<std::string>()));
  }
  EXPECT_EQ(order, "0-0 0-1 0-2 0-3 bee-0 2-0 2-1 ");
  EXPECT_EQ(lines[3]["seed"].get<uint64_t>(), 10u);
  EXPECT_EQ(lines[4]["width"].get<int>(), 128);
}

TEST(SubmitTest, ABadLineCreatesNothing) {
  ServiceHarness service;

  const auto job =
      service.Submit(service.Header("out"),
                     Prompts(200) + "{\"prompt\":\"a\",\"width\":513}", 4096);

  EXPECT_THAT(job, StatusIs(absl::StatusCode::kInvalidArgument,
                            HasSubstr("line 201: width: must be a multiple of "
                                      "8, got 513")));
  EXPECT_FALSE(std::filesystem::exists(service.Output("out")));
  EXPECT_EQ(service.List(0, "")->jobs_size(), 0);
}

TEST(SubmitTest, ABadHeaderIsRefusedByField) {
  ServiceHarness service;
  v1::JobHeader header = service.Header("out");
  header.set_model("../emoji");
  EXPECT_THAT(
      service.Submit(header, Prompts(1), 100),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("model: ")));

  header = service.Header("out");
  header.set_output_uri("relative/folder");
  EXPECT_THAT(service.Submit(header, Prompts(1), 100),
              StatusIs(absl::StatusCode::kInvalidArgument));

  header = service.Header("out");
  testing::WriteText(header.output_uri(), "a file");
  EXPECT_THAT(service.Submit(header, Prompts(1), 100),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SubmitTest, AFileWithoutPromptsIsRefused) {
  ServiceHarness service;

  EXPECT_THAT(
      service.Submit(service.Header("out"), "\n\n", 100),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no prompts")));
}

TEST(SubmitTest, ARepeatWithTheSameRequestIdReturnsTheFirstJob) {
  ServiceHarness service;
  v1::JobHeader header = service.Header("out");
  header.set_request_id("night-1");

  const auto first = service.Submit(header, Prompts(3), 100);
  service.Restart();
  const auto second = service.Submit(header, Prompts(3), 100);

  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->job_id(), second->job_id());
  EXPECT_EQ(service.List(0, "")->jobs_size(), 1);
}

TEST(SubmitTest, AClientThatDiesHalfWayLeavesNoJob) {
  ServiceHarness service;
  {
    auto stub = v1::GenerationService::NewStub(service.Channel());
    grpc::ClientContext context;
    v1::Job job;
    auto writer = stub->CreateJob(&context, &job);
    v1::CreateJobRequest request;
    *request.mutable_header() = service.Header("out");
    ASSERT_TRUE(writer->Write(request));
    request.set_prompts_chunk(Prompts(10));
    ASSERT_TRUE(writer->Write(request));
    context.TryCancel();
    EXPECT_FALSE(writer->Finish().ok());
  }

  // The folder is free again once the first submit is gone.
  absl::StatusOr<v1::Job> job;
  for (int i = 0; i < 100 && !job.ok(); ++i) {
    job = service.Submit(service.Header("out"), Prompts(1), 100);
  }
  ASSERT_THAT(job, IsOk());
  EXPECT_EQ(job->lines(), 1);
  EXPECT_EQ(service.List(0, "")->jobs_size(), 1);
}

TEST(SubmitTest, LorasMustBeKnown) {
  ServiceHarness service;
  const std::string line = "{\"prompt\":\"a\",\"loras\":[{\"name\":\"ink\"}]}";
  EXPECT_THAT(service.Submit(service.Header("out"), line, 100),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("line 1: loras: no LoRA named \"ink\" is "
                                 "registered")));

  v1::JobHeader header = service.Header("out");
  header.add_known_loras("ink");
  EXPECT_THAT(service.Submit(header, line, 100), IsOk());
}

TEST(SubmitTest, ListsJobsPageByPageNewestFirst) {
  ServiceHarness service;
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(
        service.Submit(service.Header(absl::StrCat("out", i)), Prompts(1), 100),
        IsOk());
  }

  std::string token, outputs;
  int pages = 0;
  do {
    const auto page = service.List(2, token);
    ASSERT_THAT(page, IsOk());
    for (const v1::Job& job : page->jobs()) {
      outputs += job.output_uri().back();
    }
    token = page->next_page_token();
    ++pages;
  } while (!token.empty());

  EXPECT_EQ(outputs, "43210");
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(service.List(-1, ""),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(service.List(1, "x"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tessera::coordinator
