#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/folder_blob_store.h"
#include "coordinator/store/memory_job_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/service_harness.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

TEST(FollowTest, WatchSendsTheJobAtOnceAndEndsWithItsLastState) {
  ServiceHarness service;
  const auto job = service.Submit(service.Header("out"), Prompts(2), 100);
  ASSERT_THAT(job, IsOk());
  absl::StatusOr<std::vector<v1::Job>> states;
  std::thread watcher([&] { states = service.Watch(job->job_id()); });

  FakeWorker worker = service.Worker("w1");
  ASSERT_THAT(worker.Work(1), IsOk());
  watcher.join();

  ASSERT_THAT(states, IsOk());
  EXPECT_EQ(states->back().state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_LE(states->size(), 10u);
  // A job that ended is sent once.
  EXPECT_EQ(service.Watch(job->job_id())->size(), 1u);
}

TEST(FollowTest, UnknownJobsAreNotFound) {
  ServiceHarness service;

  EXPECT_THAT(service.Get("job-none"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(service.Watch("job-none"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(service.Cancel("job-none"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(service.Get(""), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(FollowTest, ACancelledJobCommitsNothingMoreAndKeepsWhatIsDone) {
  ServiceHarness service;
  v1::JobHeader header = service.Header("out");
  header.set_shard_size(2);
  const auto job = service.Submit(header, Prompts(6), 100);
  ASSERT_THAT(job, IsOk());
  FakeWorker worker = service.Worker("w1");
  ASSERT_THAT(worker.Work(1), IsOk());
  const internal::v1::Assignment running = *worker.Take(3);

  const auto cancelled = service.Cancel(job->job_id());

  ASSERT_THAT(cancelled, IsOk());
  EXPECT_THAT(worker.Commit(running.lease(), {worker.Make(running, 0)}, false),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_TRUE(worker.Execute(running.lease())->has_stop());
  const auto states = service.Watch(job->job_id());
  ASSERT_THAT(states, IsOk());
  EXPECT_EQ(states->back().state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(states->back().images().done(), 2);
  EXPECT_EQ(states->back().images().cancelled(), 4);
  EXPECT_EQ(service.Lines("out", "manifest.jsonl").size(), 2u);
  EXPECT_THAT(service.Cancel(job->job_id()), IsOk());
}

TEST(FollowTest, ListsPicturesShardByShard) {
  ServiceHarness service;
  v1::JobHeader header = service.Header("out");
  header.set_shard_size(2);
  const auto job = service.Submit(header, Prompts(6), 100);
  ASSERT_THAT(job, IsOk());
  FakeWorker worker = service.Worker("w1");
  ASSERT_THAT(worker.Work(3), IsOk());

  std::string token;
  int images = 0, pages = 0;
  do {
    const auto page = service.Images(job->job_id(), 1, token);
    ASSERT_THAT(page, IsOk());
    images += page->images_size();
    token = page->next_page_token();
    ++pages;
  } while (!token.empty());

  EXPECT_EQ(images, 6);
  EXPECT_LE(pages, 4);
}

TEST(FollowTest, StoppingTheServerEndsWatchersAndIdleWorkersAtOnce) {
  ServiceHarness service;
  const auto job = service.Submit(service.Header("out"), Prompts(1), 100);
  ASSERT_THAT(job, IsOk());
  FakeWorker busy = service.Worker("busy");
  ASSERT_THAT(busy.Take(1), IsOk());
  std::atomic<bool> watching = false;
  std::thread watcher([&] {
    EXPECT_THAT(service.Watch(job->job_id(),
                              [&](const v1::Job&) {
                                watching = true;
                                watching.notify_one();
                              }),
                StatusIs(absl::StatusCode::kUnavailable));
  });
  FakeWorker idle = service.Worker("idle");
  std::thread waiting([&] { (void)idle.Idle(); });
  // Both calls are under way once the job was sent and the second worker is
  // known.
  watching.wait(false);
  auto stub = v1::GenerationService::NewStub(service.Channel());
  for (int known = 0; known < 2;) {
    grpc::ClientContext context;
    v1::ListWorkersResponse workers;
    ASSERT_TRUE(stub->ListWorkers(&context, {}, &workers).ok());
    known = workers.workers_size();
  }

  const absl::Time begin = RealClock().Now();
  service.server().Shutdown();

  EXPECT_LT(RealClock().Now() - begin, absl::Seconds(5));
  watcher.join();
  waiting.join();
}

TEST(FollowTest, APortInUseIsSaid) {
  ServiceHarness service;
  ServerOptions options;
  options.listen = absl::StrCat("127.0.0.1:", service.server().port());

  auto blobs = FolderBlobStore::Open(service.Output("blobs"), RealClock());
  ASSERT_THAT(blobs, IsOk());

  const auto second =
      Server::Start(options, RealClock(), std::make_unique<MemoryJobStore>(),
                    {.blobs = *std::move(blobs)});

  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable,
                               HasSubstr("port in use")));
}

}  // namespace
}  // namespace tessera::coordinator
