#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "coordinator/store/sqlite_database.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/service_harness.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

std::string SubmitPrompts(ServiceHarness& service, int count, int shard_size) {
  v1::JobHeader header = service.Header("out");
  header.set_shard_size(shard_size);
  const auto job = service.Submit(header, Prompts(count), 1000);
  EXPECT_TRUE(job.ok()) << job.status();
  return job.ok() ? job->job_id() : "";
}

TEST(LeaseTest, ARestartLosesNeitherJobNorLeaseNorResults) {
  ServiceHarness service;
  const std::string job = SubmitPrompts(service, 6, 2);
  internal::v1::Assignment half;
  {
    FakeWorker worker = service.Worker("w1");
    ASSERT_THAT(worker.Work(1), IsOk());
    half = *worker.Take(3);
    ASSERT_THAT(worker.Commit(half.lease(), {worker.Make(half, 0)}, false),
                IsOk());
  }

  service.Restart();

  FakeWorker worker = service.Worker("w1");
  EXPECT_EQ(service.Get(job)->images().done(), 3);
  const auto carry_on = worker.Execute(half.lease());
  ASSERT_THAT(carry_on, IsOk());
  EXPECT_TRUE(carry_on->has_carry_on()) << carry_on->DebugString();
  ASSERT_THAT(worker.Commit(half.lease(), {worker.Make(half, 1)}, false),
              IsOk());
  ASSERT_THAT(worker.Work(1), IsOk());
  ASSERT_THAT(service.Watch(job), IsOk());
  EXPECT_EQ(service.Lines("out", "manifest.jsonl").size(), 6u);
}

TEST(LeaseTest, ALostWorkersShardGoesOnWithoutItsFinishedPictures) {
  ServiceHarness service;
  const std::string job = SubmitPrompts(service, 4, 4);
  FakeWorker zombie = service.Worker("zombie");
  const internal::v1::Assignment stale = *zombie.Take(3);
  ASSERT_THAT(zombie.Commit(stale.lease(), {zombie.Make(stale, 2)}, false),
              IsOk());

  // The held call is answered when the lease runs out.
  FakeWorker worker = service.Worker("w2");
  const auto fresh = worker.Take(10);
  ASSERT_THAT(fresh, IsOk());
  EXPECT_GT(fresh->lease().epoch(), stale.lease().epoch());
  ASSERT_EQ(fresh->finished_tasks_size(), 1);
  EXPECT_EQ(fresh->finished_tasks(0), 2);

  EXPECT_THAT(zombie.Commit(stale.lease(), {zombie.Make(stale, 0)}, false),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_TRUE(zombie.Execute(stale.lease())->has_stop());
  ASSERT_THAT(worker.Finish(*fresh), IsOk());
  ASSERT_THAT(service.Watch(job), IsOk());
  EXPECT_EQ(service.Lines("out", "manifest.jsonl").size(), 4u);
  EXPECT_EQ(service.Get(job)->retries(), 1);
}

TEST(LeaseTest, DuplicatedAndReorderedCallsChangeNothing) {
  ServiceHarness service;
  const std::string job = SubmitPrompts(service, 2, 1);
  FakeWorker worker = service.Worker("w1");
  const internal::v1::SynchronizeRequest older = worker.IdleRequest();
  const internal::v1::SynchronizeRequest newer = worker.IdleRequest();

  const auto first = worker.Send(newer);
  const auto repeat = worker.Send(newer);
  const auto late = worker.Send(older);

  ASSERT_THAT(first, IsOk());
  ASSERT_TRUE(first->has_execute());
  ASSERT_THAT(repeat, IsOk());
  ASSERT_TRUE(repeat->has_execute());
  EXPECT_EQ(first->execute().lease().SerializeAsString(),
            repeat->execute().lease().SerializeAsString());
  ASSERT_THAT(late, IsOk());
  EXPECT_TRUE(late->has_carry_on());
  ASSERT_THAT(worker.Finish(first->execute()), IsOk());
  EXPECT_THAT(worker.Finish(first->execute()), IsOk());  // the same again
  ASSERT_THAT(worker.Work(1), IsOk());
  ASSERT_THAT(service.Watch(job), IsOk());
  EXPECT_EQ(service.Lines("out", "manifest.jsonl").size(), 2u);
}

TEST(LeaseTest, AnIdleWorkerIsWokenByASubmit) {
  ServiceHarness service;
  FakeWorker worker = service.Worker("w1");
  absl::StatusOr<internal::v1::Assignment> assignment;
  std::thread waiting([&] { assignment = worker.Take(20); });

  SubmitPrompts(service, 1, 1);
  waiting.join();

  EXPECT_THAT(assignment, IsOk());
}

TEST(LeaseTest, ACancelledIdleCallIsForgotten) {
  ServiceHarness service;
  auto stub = internal::v1::WorkerService::NewStub(service.Channel());
  FakeWorker worker = service.Worker("w1");
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::milliseconds(5));
    internal::v1::SynchronizeResponse response;
    EXPECT_FALSE(
        stub->Synchronize(&context, worker.IdleRequest(), &response).ok());
  }

  SubmitPrompts(service, 1, 1);
  EXPECT_THAT(worker.Take(5), IsOk());
}

TEST(LeaseTest, AReleasedShardIsGivenToAnotherWorkerAtOnce) {
  ServiceHarness service;
  const std::string job = SubmitPrompts(service, 2, 2);
  FakeWorker draining = service.Worker("w1");
  const internal::v1::Assignment assignment = *draining.Take(3);
  ASSERT_THAT(
      draining.Commit(assignment.lease(), {draining.Make(assignment, 0)}, true),
      IsOk());

  FakeWorker other = service.Worker("w2");
  const auto rest = other.Take(1);

  ASSERT_THAT(rest, IsOk());
  EXPECT_EQ(rest->finished_tasks_size(), 1);
  EXPECT_EQ(service.Get(job)->retries(), 0);
}

// The shard is read by the real codec from a file that was changed outside.
TEST(LeaseTest, ADamagedShardFailsAndItsJobEnds) {
  ServiceHarness service;
  const std::string job = SubmitPrompts(service, 4, 2);
  service.Stop();
  {
    const auto database = SqliteDatabase::Open(service.StoreFile());
    ASSERT_THAT(database, IsOk());
    ASSERT_THAT((*database)->Execute("UPDATE payloads SET payload = x'2A' "
                                     "WHERE shard = 0"),
                IsOk());
  }
  service.Start();
  FakeWorker worker = service.Worker("w1");

  ASSERT_THAT(worker.Work(1), IsOk());

  const auto states = service.Watch(job);
  ASSERT_THAT(states, IsOk());
  EXPECT_EQ(states->back().images().done(), 2);
  EXPECT_EQ(states->back().images().failed(), 2);
  const auto errors = service.Lines("out", "errors.jsonl");
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0]["code"], "DATA_LOSS");
  EXPECT_THAT(errors[0]["reason"].get<std::string>(), HasSubstr("shard 0"));
}

TEST(LeaseTest, MalformedRequestsAreRefused) {
  ServiceHarness service;
  FakeWorker worker = service.Worker("w1");
  internal::v1::SynchronizeRequest request = worker.IdleRequest();
  request.clear_idle();
  EXPECT_THAT(worker.Send(request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  request = worker.IdleRequest();
  request.clear_worker_id();
  EXPECT_THAT(worker.Send(request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(worker.Commit(internal::v1::Lease(), {}, false),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LeaseTest, ManyWorkersShareAJobWithoutDoingAnythingTwice) {
  ServiceHarness service;
  const std::string job = SubmitPrompts(service, 200, 5);
  std::vector<std::thread> threads;
  for (int w = 0; w < 4; ++w) {
    threads.emplace_back([&, w] {
      FakeWorker worker = service.Worker(absl::StrCat("w", w));
      EXPECT_THAT(worker.Work(10), IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();

  const auto states = service.Watch(job);
  ASSERT_THAT(states, IsOk());
  EXPECT_EQ(states->back().images().done(), 200);
  std::set<std::string> ids;
  for (const auto& line : service.Lines("out", "manifest.jsonl")) {
    EXPECT_TRUE(ids.insert(line["custom_id"].get<std::string>()).second);
  }
  EXPECT_EQ(ids.size(), 200u);
}

}  // namespace
}  // namespace tessera::coordinator
