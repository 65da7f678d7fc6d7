// What every job store promises, over memory and SQLite.
#include "coordinator/store/job_store.h"

#include <functional>
#include <memory>
#include <string>

#include "coordinator/store/memory_job_store.h"
#include "coordinator/store/sqlite_job_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

struct StoreCase {
  std::string name;
  std::function<std::unique_ptr<JobStore>(const std::string& path)> open;
  bool durable;  // opening the same path again shows the same jobs
};

class JobStoreTest : public ::testing::TestWithParam<StoreCase> {
 protected:
  JobStoreTest() { Open(); }

  void Open() {
    store_.reset();
    store_ = GetParam().open(folder_ / "jobs.db");
  }

  absl::Status Write(std::function<void(JobTransaction&)> write) {
    auto transaction = store_->Begin();
    write(**transaction);
    return (*transaction)->Commit();
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<JobStore> store_;
};

Job MakeJob(const std::string& id, int64_t number) {
  Job job{.id = JobId(id), .number = number};
  job.header = {.model = "emoji",
                .output_uri = "/out",
                .shard_size = 7,
                .request_id = "r-1",
                .seed = 0xffff'ffff'ffff'fffe,
                .max_failed_images = 3,
                .allow_unmatched_loras = true,
                .request_json = "{\"a\": 1}"};
  job.state = JobState::kRunning;
  job.images = {.total = 9, .done = 4, .failed = 2, .cancelled = 1};
  job.lines = 5;
  job.shards = 2;
  job.shards_finished = 1;
  job.retries = 6;
  job.create_time = absl::FromUnixMicros(1'700'000'000'123'456);
  job.message = "why \0 not ü";
  job.warnings = {"one", "two, too"};
  return job;
}

Shard MakeShard(int64_t index) {
  Shard shard{.index = index,
              .first_line = 11,
              .epoch = 3,
              .holder = WorkerId("w-1"),
              .lost_leases = 2,
              .failed = 1,
              .loras = SharedLoraSet({"a1", "b2"}),
              .finished = TaskSet(9),
              .attempts = {{.task = 4, .attempts = 2, .last_epoch = 3}}};
  shard.finished.Insert(0);
  shard.finished.Insert(8);
  return shard;
}

TaskResult MakeImage(int32_t task, const std::string& sha256) {
  return {task, ImageRecord{.custom_id = "a",
                            .index = 1,
                            .seed = 0x8000'0000'0000'0001,
                            .path = "images/000000/a-1.png",
                            .sha256 = sha256,
                            .width = 128,
                            .height = 64,
                            .worker = "w-1",
                            .seconds = 0.25}};
}

TEST_P(JobStoreTest, StartsEmpty) {
  EXPECT_THAT(store_->LoadJobs(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_->LoadShards(JobId("none")), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_->ReadResults({JobId("none"), 0}), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_->ReadPayload({JobId("none"), 0}),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(JobStoreTest, JobComesBackAsItWas) {
  const Job job = MakeJob("j", 1);

  ASSERT_THAT(Write([&](JobTransaction& t) { t.PutJob(job); }), IsOk());

  const auto jobs = store_->LoadJobs();
  ASSERT_THAT(jobs, IsOkAndHolds(SizeIs(1)));
  const Job& found = jobs->front();
  EXPECT_EQ(found.id, job.id);
  EXPECT_EQ(found.number, 1);
  EXPECT_EQ(found.state, JobState::kRunning);
  EXPECT_EQ(found.outcome, JobState::kSucceeded);
  EXPECT_EQ(found.header.model, "emoji");
  EXPECT_EQ(found.header.output_uri, "/out");
  EXPECT_EQ(found.header.shard_size, 7);
  EXPECT_EQ(found.header.request_id, "r-1");
  EXPECT_EQ(found.header.seed, 0xffff'ffff'ffff'fffe);
  EXPECT_THAT(found.header.max_failed_images, Optional(3));
  EXPECT_TRUE(found.header.allow_unmatched_loras);
  EXPECT_EQ(found.header.request_json, "{\"a\": 1}");
  EXPECT_EQ(found.images, job.images);
  EXPECT_EQ(found.lines, 5);
  EXPECT_EQ(found.shards, 2);
  EXPECT_EQ(found.shards_finished, 1);
  EXPECT_EQ(found.retries, 6);
  EXPECT_EQ(found.create_time, job.create_time);
  EXPECT_EQ(found.start_time, absl::InfinitePast());
  EXPECT_EQ(found.message, job.message);
  EXPECT_EQ(found.warnings, job.warnings);
}

TEST_P(JobStoreTest, JobsComeOldestFirstAndAreReplacedInPlace) {
  ASSERT_THAT(Write([&](JobTransaction& t) {
                t.PutJob(MakeJob("z", 1));
                t.PutJob(MakeJob("a", 2));
              }),
              IsOk());
  Job changed = MakeJob("z", 1);
  changed.header.max_failed_images.reset();
  changed.end_time = absl::FromUnixSeconds(5);

  ASSERT_THAT(Write([&](JobTransaction& t) { t.PutJob(changed); }), IsOk());

  const auto jobs = store_->LoadJobs();
  ASSERT_THAT(jobs, IsOkAndHolds(SizeIs(2)));
  EXPECT_EQ((*jobs)[0].id, JobId("z"));
  EXPECT_EQ((*jobs)[0].header.max_failed_images, std::nullopt);
  EXPECT_EQ((*jobs)[0].end_time, absl::FromUnixSeconds(5));
  EXPECT_EQ((*jobs)[1].id, JobId("a"));
}

TEST_P(JobStoreTest, ShardsKeepTheirPayloadWhenProgressChanges) {
  const JobId job("j");
  const std::string payload("\0\1binary", 8);
  ASSERT_THAT(Write([&](JobTransaction& t) {
                t.AddShard(job, MakeShard(1), "other");
                t.AddShard(job, MakeShard(0), payload);
              }),
              IsOk());
  Shard changed = MakeShard(0);
  changed.holder = WorkerId();
  changed.attempts.clear();

  ASSERT_THAT(Write([&](JobTransaction& t) { t.PutShard(job, changed); }),
              IsOk());

  EXPECT_THAT(store_->LoadShards(job),
              IsOkAndHolds(ElementsAre(changed, MakeShard(1))));
  EXPECT_THAT(store_->ReadPayload({job, 0}), IsOkAndHolds(payload));
}

TEST_P(JobStoreTest, ResultsComeInOrderOfTask) {
  const ShardId shard{JobId("j"), 0};
  const TaskResult failure{1, TaskFailure{"INTERNAL", "not a number"}};
  ASSERT_THAT(Write([&](JobTransaction& t) {
                t.AddShard(shard.job, MakeShard(0), "p");
                t.AddResult(shard, MakeImage(2, "aa"));
                t.AddResult(shard, failure);
              }),
              IsOk());

  EXPECT_THAT(store_->ReadResults(shard),
              IsOkAndHolds(ElementsAre(failure, MakeImage(2, "aa"))));
}

TEST_P(JobStoreTest, TransactionFindsItsOwnAndEarlierResults) {
  const ShardId shard{JobId("j"), 0};
  ASSERT_THAT(Write([&](JobTransaction& t) {
                t.AddShard(shard.job, MakeShard(0), "p");
                t.AddResult(shard, MakeImage(2, "aa"));
              }),
              IsOk());

  auto transaction = store_->Begin();
  ASSERT_THAT(transaction, IsOk());
  (*transaction)->AddResult(shard, MakeImage(3, "bb"));

  EXPECT_EQ((*transaction)->FindResult(shard, 2), MakeImage(2, "aa"));
  EXPECT_EQ((*transaction)->FindResult(shard, 3), MakeImage(3, "bb"));
  EXPECT_EQ((*transaction)->FindResult(shard, 4), std::nullopt);
  EXPECT_THAT((*transaction)->Commit(), IsOk());
}

TEST_P(JobStoreTest, UncommittedChangesAreNeitherSeenNorKept) {
  auto transaction = store_->Begin();
  ASSERT_THAT(transaction, IsOk());
  (*transaction)->PutJob(MakeJob("j", 1));

  EXPECT_THAT(store_->LoadJobs(), IsOkAndHolds(IsEmpty()));
  transaction->reset();
  EXPECT_THAT(store_->LoadJobs(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(Write([](JobTransaction& t) { t.PutJob(MakeJob("k", 1)); }),
              IsOk());
}

TEST_P(JobStoreTest, DeleteRemovesEverythingOfOneJob) {
  ASSERT_THAT(Write([&](JobTransaction& t) {
                for (const auto& [id, number] : {std::pair{"j", 1}, {"k", 2}}) {
                  t.PutJob(MakeJob(id, number));
                  t.AddShard(JobId(id), MakeShard(0), "p");
                  t.AddResult({JobId(id), 0}, MakeImage(0, "aa"));
                  t.AddConflict({JobId(id), 0}, 3, MakeImage(0, "bb"));
                }
              }),
              IsOk());
  EXPECT_THAT(store_->CountConflicts(JobId("j")), IsOkAndHolds(1));

  ASSERT_THAT(Write([](JobTransaction& t) { t.DeleteJob(JobId("j")); }),
              IsOk());

  EXPECT_THAT(store_->LoadJobs(), IsOkAndHolds(SizeIs(1)));
  EXPECT_THAT(store_->LoadShards(JobId("j")), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_->ReadPayload({JobId("j"), 0}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->ReadResults({JobId("j"), 0}), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_->CountConflicts(JobId("j")), IsOkAndHolds(0));
  EXPECT_THAT(store_->ReadResults({JobId("k"), 0}), IsOkAndHolds(SizeIs(1)));
}

Lora MakeLora(const std::string& name, const std::string& sha256,
              int64_t number) {
  return {.name = name,
          .sha256 = sha256,
          .size_bytes = 5'000'000'000,
          .facts = {.dialect = "kohya", .layers = 192},
          .create_time = absl::FromUnixMicros(1'700'000'000'123'456),
          .number = number};
}

// Returns "name@sha256#number" for each of the store's versions, in its order.
std::string LoraText(const JobStore& store) {
  std::string text;
  const std::vector<Lora> loras = store.LoadLoras().value();
  for (const Lora& lora : loras) {
    text +=
        lora.name + "@" + lora.sha256 + "#" + std::to_string(lora.number) + " ";
  }
  return text;
}

TEST_P(JobStoreTest, LoraComesBackAsItWas) {
  EXPECT_THAT(store_->LoadLoras(), IsOkAndHolds(IsEmpty()));

  ASSERT_THAT(
      Write([](JobTransaction& t) { t.PutLora(MakeLora("ink", "aa", 3)); }),
      IsOk());

  const auto loras = store_->LoadLoras();
  ASSERT_THAT(loras, IsOkAndHolds(SizeIs(1)));
  const Lora& found = loras->front();
  EXPECT_EQ(found.name, "ink");
  EXPECT_EQ(found.sha256, "aa");
  EXPECT_EQ(found.size_bytes, 5'000'000'000);
  EXPECT_EQ(found.facts.dialect, "kohya");
  EXPECT_EQ(found.facts.layers, 192);
  EXPECT_EQ(found.create_time, absl::FromUnixMicros(1'700'000'000'123'456));
  EXPECT_EQ(found.number, 3);
}

TEST_P(JobStoreTest, LorasAreKnownByNameAndDigestAndComeByNumber) {
  ASSERT_THAT(Write([](JobTransaction& t) {
                t.PutLora(MakeLora("ink", "aa", 1));
                t.PutLora(MakeLora("ink", "bb", 2));
                t.PutLora(MakeLora("Ink", "aa", 3));
                t.PutLora(MakeLora("ink", "aa", 4));  // pushed again
              }),
              IsOk());
  EXPECT_EQ(LoraText(*store_), "ink@bb#2 Ink@aa#3 ink@aa#4 ");

  ASSERT_THAT(Write([](JobTransaction& t) {
                t.DeleteLora("ink", "bb");
                t.DeleteLora("ink", "unknown");
              }),
              IsOk());

  EXPECT_EQ(LoraText(*store_), "Ink@aa#3 ink@aa#4 ");
}

TEST_P(JobStoreTest, PinsBelongToTheirJobAndOutliveTheLora) {
  const LoraPin old{"ink", "aa"}, young{"ink", "bb"}, other{"an", "cc"};
  ASSERT_THAT(Write([&](JobTransaction& t) {
                t.PutLora(MakeLora("ink", "aa", 1));
                for (const auto& [id, number] : {std::pair{"j", 1}, {"k", 2}}) {
                  t.PutJob(MakeJob(id, number));
                  t.PinLora(JobId(id), young);
                }
                t.PinLora(JobId("j"), old);
                t.PinLora(JobId("j"), other);
                t.PinLora(JobId("j"), old);
              }),
              IsOk());
  ASSERT_THAT(Write([](JobTransaction& t) {
                t.DeleteLora("ink", "aa");
                t.DeleteJob(JobId("k"));
              }),
              IsOk());

  EXPECT_THAT(store_->LoadLoraPins(JobId("j")),
              IsOkAndHolds(ElementsAre(other, old, young)));
  EXPECT_THAT(store_->LoadLoraPins(JobId("k")), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_->LoadLoraPins(JobId("none")), IsOkAndHolds(IsEmpty()));
}

TEST_P(JobStoreTest, UncommittedLorasAreNeitherSeenNorKept) {
  auto transaction = store_->Begin();
  ASSERT_THAT(transaction, IsOk());
  (*transaction)->PutLora(MakeLora("ink", "aa", 1));
  (*transaction)->PinLora(JobId("j"), {"ink", "aa"});

  EXPECT_THAT(store_->LoadLoras(), IsOkAndHolds(IsEmpty()));
  transaction->reset();
  EXPECT_THAT(store_->LoadLoras(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_->LoadLoraPins(JobId("j")), IsOkAndHolds(IsEmpty()));
}

TEST_P(JobStoreTest, DurableStoreShowsCommittedJobsAfterReopening) {
  if (!GetParam().durable) GTEST_SKIP() << "keeps nothing by design";
  ASSERT_THAT(Write([](JobTransaction& t) {
                t.PutJob(MakeJob("j", 1));
                t.AddShard(JobId("j"), MakeShard(0), "p");
                t.PutLora(MakeLora("ink", "aa", 1));
                t.PinLora(JobId("j"), {"ink", "aa"});
              }),
              IsOk());

  Open();

  EXPECT_THAT(store_->LoadJobs(), IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(LoraText(*store_), "ink@aa#1 ");
  EXPECT_THAT(store_->LoadLoraPins(JobId("j")), IsOkAndHolds(SizeIs(1)));
  EXPECT_THAT(store_->LoadShards(JobId("j")),
              IsOkAndHolds(ElementsAre(MakeShard(0))));
}

INSTANTIATE_TEST_SUITE_P(
    Stores, JobStoreTest,
    ::testing::Values(
        StoreCase{"Memory",
                  [](const std::string&) {
                    return std::make_unique<MemoryJobStore>();
                  },
                  false},
        StoreCase{"Sqlite",
                  [](const std::string& path) -> std::unique_ptr<JobStore> {
                    return SqliteJobStore::Open(path).value();
                  },
                  true}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tessera::coordinator
