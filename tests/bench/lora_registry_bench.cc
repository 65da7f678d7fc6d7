// What a push, a page, a name and a lease cost beside a few LoRAs and beside
// many: the times have to stay the same.
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "common/check.h"
#include "common/folder_blob_store.h"
#include "common/sha256.h"
#include "coordinator/coordinator.h"
#include "coordinator/lora_library.h"
#include "coordinator/manifest.h"
#include "coordinator/store/sqlite_job_store.h"
#include "tests/support/temporary_folder.h"

namespace tessera::coordinator {
namespace {

constexpr size_t kFileBytes = 1 << 20;
constexpr int64_t kPage = 100;

// No job ends here, so nothing is ever read.
class NoTasks final : public TaskReader {
 public:
  absl::StatusOr<std::vector<TaskIdentity>> ReadTasks(
      std::string_view) const override {
    return std::vector<TaskIdentity>();
  }
};

// Returns the name of LoRA `i`; names are as long as users' are.
std::string Name(int64_t i) { return absl::StrCat("style-of-artist-", i); }

// A coordinator with SQLite and a folder, and `count` registered LoRAs.
class Registry {
 public:
  explicit Registry(int64_t count) {
    store_ = SqliteJobStore::Open(folder_ / "jobs.db").value();
    // Rows are written at once: pushing them one by one would take minutes.
    auto transaction = store_->Begin().value();
    for (int64_t i = 0; i < count; ++i) {
      transaction->PutLora({.name = Name(i),
                            .sha256 = Sha256Hex(Name(i)),
                            .size_bytes = kFileBytes,
                            .facts = {"kohya", 192},
                            .create_time = absl::UnixEpoch(),
                            .number = i + 1});
    }
    CHECK(transaction->Commit().ok());
    coordinator_ = Coordinator::Open(CoordinatorOptions(), RealClock(), *store_,
                                     reader_, [] {})
                       .value();
    blobs_ = FolderBlobStore::Open(folder_ / "blobs", RealClock()).value();
    library_ =
        LoraLibrary::Open(*coordinator_, *blobs_, [](const std::string&) {
          return LoraFacts{"kohya", 192};
        }).value();
  }

  // Pushes a file that nobody has pushed before.
  void Push(int64_t i) {
    std::string bytes(kFileBytes, 'x');
    bytes += absl::StrCat(i);
    const LoraHeader header{
        .name = {absl::StrCat("pushed-", i), Sha256Hex(bytes)},
        .size_bytes = static_cast<int64_t>(bytes.size())};
    CHECK(library_->Begin(header).ok());
    CHECK(library_->Append(header, 0, bytes).ok());
    CHECK(library_->Finish(header, header.size_bytes).ok());
  }

  // Submits an endless job, so that there is something to lease.
  void Submit() {
    const BegunJob job =
        coordinator_->BeginJob({.model = "m", .output_uri = folder_ / "out"})
            .value();
    std::vector<ShardDraft> drafts(1000,
                                   ShardDraft{.pictures = 1, .payload = "p"});
    CHECK(coordinator_->AddShards(job.id, drafts).ok());
    CHECK(coordinator_->PinLoras(job.id, {{Name(0), Sha256Hex(Name(0))}}).ok());
    CHECK(coordinator_->FinishJob(job.id, 1000).ok());
  }

  Coordinator& coordinator() { return *coordinator_; }

 private:
  testing::TemporaryFolder folder_;
  NoTasks reader_;
  std::unique_ptr<SqliteJobStore> store_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<FolderBlobStore> blobs_;
  std::unique_ptr<LoraLibrary> library_;
};

// Takes a file of 1 MiB from its first byte to a durable row.
void BM_Push(benchmark::State& state) {
  Registry registry(state.range(0));
  int64_t i = 0;
  for (auto _ : state) registry.Push(i++);
}

// Lists a page from the middle.
void BM_ListPage(benchmark::State& state) {
  Registry registry(state.range(0));
  const std::string after = Name(state.range(0) / 2);
  for (auto _ : state) {
    benchmark::DoNotOptimize(registry.coordinator().ListLoras(after, kPage));
  }
}

// Finds what a name means, as a submit does for each name.
void BM_Resolve(benchmark::State& state) {
  Registry registry(state.range(0));
  int64_t i = 0;
  for (auto _ : state) {
    i = (i + 7919) % state.range(0);
    CHECK(registry.coordinator().GetLora({Name(i), ""}).ok());
  }
}

// Grants a shard to an idle worker and takes it back.
void BM_Lease(benchmark::State& state) {
  Registry registry(state.range(0));
  registry.Submit();
  SynchronizeRequest request;
  request.worker = WorkerId("w");
  request.info.models = {"m"};
  uint64_t sequence = 0;
  for (auto _ : state) {
    request.sequence = ++sequence;
    auto reply = registry.coordinator().Synchronize(request);
    CHECK(reply.ok());
    const auto* assignment = std::get_if<Assignment>(&reply->desired);
    CHECK(assignment != nullptr);
    CHECK(registry.coordinator()
              .CommitResults({.worker = request.worker,
                              .lease = assignment->lease,
                              .release = true})
              .ok());
  }
}

BENCHMARK(BM_Push)->Arg(100)->Arg(10'000)->UseRealTime();
BENCHMARK(BM_ListPage)->Arg(100)->Arg(10'000)->UseRealTime();
BENCHMARK(BM_Resolve)->Arg(100)->Arg(10'000)->UseRealTime();
BENCHMARK(BM_Lease)->Arg(100)->Arg(10'000)->UseRealTime();

}  // namespace
}  // namespace tessera::coordinator

BENCHMARK_MAIN();
