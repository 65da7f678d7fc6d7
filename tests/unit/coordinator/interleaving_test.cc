// Random workers, losses, repeats, reordering, cancels and restarts: whatever
// the order, every picture ends exactly once (I1 to I7).
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "coordinator/job_state.h"
#include "coordinator/store/memory_job_store.h"
#include "coordinator/store/sqlite_job_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/coordinator_harness.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;

// A worker that makes its pictures in random bites and never learns of some
// answers.
struct SimulatedWorker {
  std::string name;
  std::optional<Assignment> assignment;
  std::set<int32_t> finished;
};

class Simulation {
 public:
  Simulation(uint32_t seed, CoordinatorHarness& harness)
      : random_(seed), harness_(harness) {
    for (int i = 0; i < 4; ++i) AddWorker(i);
  }

  void Submit() {
    std::vector<ShardDraft> drafts;
    const int shards = Draw(4) + 1;
    for (int i = 0; i < shards; ++i) {
      drafts.push_back(MakeDraft(i, Draw(9) + 1, shards));
    }
    jobs_.push_back(harness_.Submit(std::move(drafts)));
  }

  void Step(bool faults) {
    SimulatedWorker& worker = workers_[Draw(workers_.size())];
    const int dice = Draw(100);
    if (!faults || dice < 80) {
      Work(worker, faults);
    } else if (dice < 84) {
      harness_.ExpireLeases();
    } else if (dice < 88) {
      AddWorker(&worker - workers_.data());  // kill -9
    } else if (dice < 91) {
      harness_.Restart();
    } else if (dice < 96) {
      Replay();
    } else if (dice < 97 && jobs_.size() > 1) {
      const JobId job = jobs_[Draw(jobs_.size())];
      if (harness_.coordinator().CancelJob(job).ok()) {
        cancelled_.try_emplace(job, harness_.Get(job).images);
      }
    } else {
      ASSERT_THAT(harness_.coordinator().SealDue(), IsOk());
    }
    CheckJobs();
  }

  bool AllEnded() {
    for (const JobId& job : jobs_) {
      if (!IsTerminal(harness_.Get(job).state)) return false;
    }
    return true;
  }

  // Compares what was acknowledged with what the manifests say.
  void CheckManifests() {
    for (const JobId& id : jobs_) {
      const Job job = harness_.Get(id);
      EXPECT_EQ(job.images.waiting(), 0);
      std::map<std::string, std::string> listed;
      std::istringstream lines(
          testing::ReadText(job.header.output_uri + "/manifest.jsonl"));
      for (std::string line; std::getline(lines, line);) {
        const auto json = nlohmann::json::parse(line);
        EXPECT_TRUE(listed.emplace(json["path"], json["sha256"]).second);
      }
      EXPECT_EQ(static_cast<int64_t>(listed.size()), job.images.done);
      for (const auto& [path, sha256] : acknowledged_[id]) {
        EXPECT_EQ(listed[path], sha256) << id.value() << " " << path;
      }
      if (job.state == JobState::kSucceeded) {
        EXPECT_EQ(job.images.cancelled, 0);
      }
    }
  }

 private:
  int Draw(size_t bound) {
    return std::uniform_int_distribution<int>(
        0, static_cast<int>(bound) - 1)(random_);
  }

  void AddWorker(size_t place) {
    if (place >= workers_.size()) workers_.resize(place + 1);
    workers_[place] = {"worker-" + std::to_string(++names_)};
  }

  void Work(SimulatedWorker& worker, bool faults) {
    SynchronizeRequest request{.worker = WorkerId(worker.name),
                               .sequence = ++sequence_,
                               .info = {.models = {"emoji"}}};
    if (worker.assignment) request.executing = worker.assignment->lease;
    synchronizations_.push_back(request);
    const auto reply = harness_.coordinator().Synchronize(request);
    ASSERT_THAT(reply, IsOk());
    if (faults && Draw(10) == 0) return;  // the answer is lost
    if (std::holds_alternative<Stop>(reply->desired)) worker.assignment.reset();
    if (const auto* next = std::get_if<Assignment>(&reply->desired)) {
      ASSERT_FALSE(worker.assignment);
      worker.assignment = *next;
      worker.finished = {next->finished_tasks.begin(),
                         next->finished_tasks.end()};
    }
    if (worker.assignment) CommitSome(worker, faults);
  }

  void CommitSome(SimulatedWorker& worker, bool faults) {
    const Assignment& assignment = *worker.assignment;
    const auto tasks = TextTaskReader().ReadTasks(assignment.payload).value();
    CommitRequest request{.worker = WorkerId(worker.name),
                          .lease = assignment.lease};
    for (int32_t task = 0; task < static_cast<int32_t>(tasks.size()); ++task) {
      if (worker.finished.contains(task) || Draw(2) == 0) continue;
      worker.finished.insert(task);
      request.results.push_back(
          faults && Draw(30) == 0
              ? MakeFailure(task, Draw(2) == 0 ? "INTERNAL" : "UNAVAILABLE")
              : MakePicture(assignment.lease.shard, task, worker.name,
                            tasks[task].custom_id));
    }
    const bool over = worker.finished.size() == tasks.size();
    request.release = faults && Draw(20) == 0;
    commits_.push_back(request);
    const auto committed = harness_.coordinator().CommitResults(request);
    if (committed.ok()) {
      EXPECT_TRUE(committed->empty());
      Acknowledge(request);
    } else {
      ASSERT_EQ(committed.status().code(), absl::StatusCode::kAborted);
    }
    if (!committed.ok() || over || request.release) worker.assignment.reset();
  }

  void Acknowledge(const CommitRequest& request) {
    for (const TaskResult& result : request.results) {
      const auto* image = std::get_if<ImageRecord>(&result.outcome);
      if (image == nullptr) continue;
      // A task that failed for good before keeps its failure; no picture was
      // promised then.
      const auto stored =
          harness_.store().ReadResults(request.lease.shard).value();
      for (const TaskResult& other : stored) {
        if (other.task == result.task &&
            std::holds_alternative<ImageRecord>(other.outcome)) {
          acknowledged_[request.lease.shard.job][image->path] = image->sha256;
        }
      }
    }
  }

  // Delivers something old once more; it may change nothing that ended.
  void Replay() {
    if (!commits_.empty()) {
      const auto replayed =
          harness_.coordinator().CommitResults(commits_[Draw(commits_.size())]);
      EXPECT_TRUE(replayed.ok() || absl::IsAborted(replayed.status()));
    }
    if (synchronizations_.empty()) return;
    const SynchronizeRequest& old =
        synchronizations_[Draw(synchronizations_.size())];
    ASSERT_THAT(harness_.coordinator().Synchronize(old), IsOk());
  }

  // Counts add up, never fall, and stand still after a cancel.
  void CheckJobs() {
    for (const JobId& id : jobs_) {
      const Job job = harness_.Get(id);
      ImageCounts& last = last_counts_[id];
      EXPECT_GE(job.images.waiting(), 0);
      EXPECT_GE(job.images.done, last.done);
      EXPECT_GE(job.images.failed, last.failed);
      EXPECT_GE(job.images.cancelled, last.cancelled);
      last = job.images;
      const auto cancelled = cancelled_.find(id);
      if (cancelled != cancelled_.end()) {
        EXPECT_EQ(job.images, cancelled->second);
      }
    }
  }

  std::mt19937 random_;
  CoordinatorHarness& harness_;
  std::vector<SimulatedWorker> workers_;
  std::vector<JobId> jobs_;
  std::vector<CommitRequest> commits_;
  std::vector<SynchronizeRequest> synchronizations_;
  std::map<JobId, std::map<std::string, std::string>> acknowledged_;
  std::map<JobId, ImageCounts> last_counts_;
  std::map<JobId, ImageCounts> cancelled_;
  int names_ = 0;
  uint64_t sequence_ = 0;
};

void Simulate(uint32_t seed, CoordinatorHarness& harness) {
  SCOPED_TRACE(seed);
  Simulation simulation(seed, harness);
  for (int job = 0; job < 3; ++job) {
    simulation.Submit();
    for (int step = 0; step < 60; ++step) simulation.Step(true);
  }
  // Once faults stop, every job ends (I5).
  harness.ExpireLeases();
  int steps = 0;
  while (!simulation.AllEnded() && ++steps < 1000) {
    simulation.Step(false);
    harness.ExpireLeases();
    ASSERT_THAT(harness.coordinator().SealDue(), IsOk());
  }
  EXPECT_TRUE(simulation.AllEnded());
  simulation.CheckManifests();
}

TEST(InterleavingTest, EveryPictureEndsOnceOverMemory) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    CoordinatorHarness harness;
    Simulate(seed, harness);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(InterleavingTest, EveryPictureEndsOnceOverSqliteWithReopening) {
  for (uint32_t seed = 1001; seed <= 1006; ++seed) {
    CoordinatorHarness harness([](const std::string& path) {
      return SqliteJobStore::Open(path).value();
    });
    Simulate(seed, harness);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tessera::coordinator
