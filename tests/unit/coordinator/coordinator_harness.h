// A coordinator with a fake clock, workers that tests drive by hand, and shards
// whose payload is readable.
#ifndef TESSERA_TESTS_UNIT_COORDINATOR_COORDINATOR_HARNESS_H_
#define TESSERA_TESTS_UNIT_COORDINATOR_COORDINATOR_HARNESS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/coordinator.h"
#include "coordinator/manifest.h"
#include "coordinator/store/job_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_folder.h"

namespace tessera::coordinator {

// Reads payloads of one "line custom_id index" a task.
class TextTaskReader final : public TaskReader {
 public:
  absl::StatusOr<std::vector<TaskIdentity>> ReadTasks(
      std::string_view payload) const override;
};

// Makes a shard of one picture a line, for lines first, first + stride, ….
ShardDraft MakeDraft(int64_t first_line, int32_t pictures, int64_t stride);

// Makes the picture of a task, with a digest that `content` decides.
TaskResult MakePicture(const ShardId& shard, int32_t task,
                       const std::string& worker, const std::string& content);

// Makes a failure of a task.
TaskResult MakeFailure(int32_t task, const std::string& code);

// Owns what a coordinator borrows.
class CoordinatorHarness {
 public:
  using OpenStore = std::function<std::unique_ptr<JobStore>()>;

  // Starts over a memory store that survives Restart.
  CoordinatorHarness();

  // Starts over a store that is closed and opened anew by Restart. The
  // function gets the path of a file for it.
  explicit CoordinatorHarness(
      std::function<std::unique_ptr<JobStore>(const std::string&)> open);

  // Kills the coordinator and opens it on the same store.
  void Restart();

  // Submits `drafts` as a job with its own output folder.
  JobId Submit(std::vector<ShardDraft> drafts);
  JobId Submit(const JobHeader& header, std::vector<ShardDraft> drafts);

  // Returns a header for model "emoji" and an output folder of this name.
  JobHeader Header(const std::string& folder) const;

  // Synchronizes as idle, or executing `lease`, with the next sequence number.
  SynchronizeReply Idle(const std::string& worker);
  SynchronizeReply Execute(const std::string& worker, const Lease& lease);

  // Synchronizes as idle and expects an assignment.
  Assignment Take(const std::string& worker);

  absl::StatusOr<std::vector<int32_t>> Commit(const std::string& worker,
                                              const Lease& lease,
                                              std::vector<TaskResult> results,
                                              bool release);

  // Commits pictures for all of the shard's unfinished tasks.
  absl::Status Finish(const std::string& worker, const Assignment& assignment);

  // Lets every lease that is not renewed run out.
  void ExpireLeases();

  Job Get(const JobId& job) { return coordinator().GetJob(job).value(); }
  Coordinator& coordinator() { return *coordinator_; }
  JobStore& store() { return *store_; }
  testing::FakeClock& clock() { return clock_; }
  const testing::TemporaryFolder& folder() const { return folder_; }
  int work_calls() const { return work_calls_; }

 private:
  SynchronizeRequest Request(const std::string& worker);
  void Open();

  testing::TemporaryFolder folder_;
  testing::FakeClock clock_;
  TextTaskReader task_reader_;
  OpenStore open_store_;
  std::unique_ptr<JobStore> store_;
  std::unique_ptr<Coordinator> coordinator_;
  uint64_t sequence_ = 0;
  int jobs_ = 0;
  int work_calls_ = 0;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_TESTS_UNIT_COORDINATOR_COORDINATOR_HARNESS_H_
