#include "coordinator/coordinator_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "coordinator/job_state.h"
#include "coordinator/output_folder.h"

namespace tessera::coordinator {

CoordinatorState::CoordinatorState(
    const CoordinatorOptions& coordinator_options, Clock& coordinator_clock,
    JobStore& job_store, const TaskReader& reader,
    std::function<void()> work_listener)
    : options(coordinator_options),
      clock(coordinator_clock),
      store(job_store),
      task_reader(reader),
      on_work(std::move(work_listener)),
      workers(options.lease_duration, options.forget_worker_after),
      dispatcher(options, jobs, leases, workers, stats),
      commands(store, [this] { return Load(); }) {}

absl::Status CoordinatorState::Load() {
  RETURN_IF_ERROR(jobs.Load(store));
  dispatcher.AdoptLeases(clock.Now());
  return absl::OkStatus();
}

absl::StatusOr<bool> CoordinatorState::RunAndTell(
    GroupCommit::Command command) {
  bool available = false;
  RETURN_IF_ERROR(commands.Run([&](JobTransaction& transaction) {
    absl::Status status = command(transaction);
    available = dispatcher.TakeWorkAvailable();
    return status;
  }));
  if (available) on_work();
  return available;
}

Job CoordinatorState::Describe(const JobEntry& entry) const {
  const absl::Time now = clock.Now();
  Job job = entry.job;
  if (IsExecutable(job.state)) {
    job.images_per_second = entry.rate.PerSecond(now);
    if (!workers.AnyHasModel(job.header.model, now)) {
      job.message = absl::StrCat("waiting: no live worker has the model: ",
                                 job.header.model);
    }
  } else if (job.state == JobState::kSealing) {
    const std::string failure = seals.Failure(job.id);
    if (!failure.empty()) job.message = failure;
  }
  return job;
}

absl::StatusOr<JobEntry*> CoordinatorState::FindJob(const JobId& id) {
  JobEntry* const entry = jobs.Find(id);
  if (entry != nullptr) return entry;
  return absl::NotFoundError(absl::StrCat("unknown job: ", id.value()));
}

absl::StatusOr<JobEntry*> CoordinatorState::FindCreating(const JobId& id) {
  ASSIGN_OR_RETURN(JobEntry* const entry, FindJob(id));
  if (entry->job.state == JobState::kCreating) return entry;
  return absl::FailedPreconditionError(
      absl::StrCat("job no longer takes prompts: ", id.value(), " is ",
                   std::string(JobStateName(entry->job.state))));
}

absl::Status CoordinatorState::CheckFolderIsFree(
    const std::string& folder, const std::string& request_id) const {
  for (const auto& [number, entry] : jobs.entries()) {
    const Job& job = entry.job;
    if (IsTerminal(job.state)) continue;
    // A repeated submit may overlap with its own first half.
    if (!request_id.empty() && job.header.request_id == request_id) continue;
    const auto used = OutputFolder(job.header.output_uri);
    if (!used.ok() || *used != folder) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("output folder is in use by job ", job.id.value(), " (",
                     std::string(JobStateName(job.state)),
                     "); choose another folder, or cancel that job: ", folder));
  }
  return absl::OkStatus();
}

}  // namespace tessera::coordinator
