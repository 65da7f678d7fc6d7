#include "tests/unit/coordinator/coordinator_harness.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/check.h"
#include "common/sha256.h"
#include "coordinator/store/memory_job_store.h"

namespace tessera::coordinator {

absl::StatusOr<std::vector<TaskIdentity>> TextTaskReader::ReadTasks(
    std::string_view payload) const {
  std::istringstream text{std::string(payload)};
  std::vector<TaskIdentity> tasks;
  TaskIdentity task;
  while (text >> task.line >> task.custom_id >> task.index) {
    tasks.push_back(task);
  }
  return tasks;
}

ShardDraft MakeDraft(int64_t first_line, int32_t pictures, int64_t stride) {
  ShardDraft draft{.first_line = first_line, .pictures = pictures};
  for (int32_t i = 0; i < pictures; ++i) {
    const int64_t line = first_line + i * stride;
    absl::StrAppend(&draft.payload, line, " id", line, " 0\n");
  }
  return draft;
}

TaskResult MakePicture(const ShardId& shard, int32_t task,
                       const std::string& worker, const std::string& content) {
  return {task, ImageRecord{.custom_id = absl::StrCat("task", task),
                            .seed = 7,
                            .path = absl::StrFormat("images/%06d/%d.png",
                                                    shard.index, task),
                            .sha256 = Sha256Hex(content),
                            .width = 128,
                            .height = 128,
                            .worker = worker,
                            .seconds = 0.5}};
}

TaskResult MakeFailure(int32_t task, const std::string& code) {
  return {task, TaskFailure{code, "a reason"}};
}

CoordinatorHarness::CoordinatorHarness() {
  store_ = std::make_unique<MemoryJobStore>();
  Open();
}

CoordinatorHarness::CoordinatorHarness(
    std::function<std::unique_ptr<JobStore>(const std::string&)> open)
    : open_store_([this, open] { return open(folder_ / "jobs.db"); }) {
  Restart();
}

void CoordinatorHarness::Restart() {
  coordinator_.reset();
  if (open_store_) {
    store_.reset();
    store_ = open_store_();
  }
  Open();
}

void CoordinatorHarness::Open() {
  coordinator_ = Coordinator::Open({}, clock_, *store_, task_reader_, [this] {
                   ++work_calls_;
                 }).value();
}

JobHeader CoordinatorHarness::Header(const std::string& folder) const {
  return {.model = "emoji", .output_uri = folder_ / folder};
}

JobId CoordinatorHarness::Submit(std::vector<ShardDraft> drafts) {
  return Submit(Header(absl::StrCat("out", ++jobs_)), std::move(drafts));
}

JobId CoordinatorHarness::Submit(const JobHeader& header,
                                 std::vector<ShardDraft> drafts) {
  int64_t lines = 0;
  for (const ShardDraft& draft : drafts) lines += draft.pictures;
  const JobId job = coordinator().BeginJob(header).value().id;
  CHECK(coordinator().AddShards(job, std::move(drafts)).ok());
  return coordinator().FinishJob(job, lines).value().id;
}

SynchronizeRequest CoordinatorHarness::Request(const std::string& worker) {
  return {.worker = WorkerId(worker),
          .sequence = ++sequence_,
          .info = {.host = "host", .models = {"emoji"}}};
}

SynchronizeReply CoordinatorHarness::Idle(const std::string& worker) {
  return coordinator().Synchronize(Request(worker)).value();
}

SynchronizeReply CoordinatorHarness::Execute(const std::string& worker,
                                             const Lease& lease) {
  SynchronizeRequest request = Request(worker);
  request.executing = lease;
  return coordinator().Synchronize(request).value();
}

Assignment CoordinatorHarness::Take(const std::string& worker) {
  return std::get<Assignment>(Idle(worker).desired);
}

absl::StatusOr<std::vector<int32_t>> CoordinatorHarness::Commit(
    const std::string& worker, const Lease& lease,
    std::vector<TaskResult> results, bool release) {
  return coordinator().CommitResults({.worker = WorkerId(worker),
                                      .lease = lease,
                                      .results = std::move(results),
                                      .release = release});
}

absl::Status CoordinatorHarness::Finish(const std::string& worker,
                                        const Assignment& assignment) {
  const auto tasks = task_reader_.ReadTasks(assignment.payload).value();
  const std::vector<int32_t>& finished = assignment.finished_tasks;
  std::vector<TaskResult> results;
  for (int32_t task = 0; task < static_cast<int32_t>(tasks.size()); ++task) {
    if (std::find(finished.begin(), finished.end(), task) != finished.end()) {
      continue;
    }
    results.push_back(MakePicture(assignment.lease.shard, task, worker,
                                  tasks[task].custom_id));
  }
  return Commit(worker, assignment.lease, std::move(results), false).status();
}

void CoordinatorHarness::ExpireLeases() {
  clock_.Advance(CoordinatorOptions().lease_duration);
  CHECK(coordinator().Tick().ok());
}

}  // namespace tessera::coordinator
