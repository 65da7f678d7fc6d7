#include "coordinator/coordinator_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "coordinator/job_state.h"

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
      // A silent worker counts as lost when its lease would be over, so that
      // both views agree.
      workers(options.lease_duration, options.forget_worker_after),
      groups(GroupOptions{}),
      dispatcher(options, jobs, leases, workers, groups, stats),
      // The state outlives its GroupCommit, so `this` stays valid.
      commands(store, [this] { return Load(); }) {}

// Builds everything that can be built from the store. The registry of workers,
// totals and failed seals are not stored and are kept.
absl::Status CoordinatorState::Load() {
  RETURN_IF_ERROR(jobs.Load(store));
  ASSIGN_OR_RETURN(const std::vector<Lora> rows, store.LoadLoras());
  loras.Load(rows);
  for (const auto& [number, entry] : jobs.entries()) {
    for (const LoraPin& pin : entry.loras) loras.Use(pin);
  }
  // After every load, also one after a failed commit: a grant that was not
  // stored was not answered either, so nobody holds it.
  dispatcher.AdoptLeases(clock.Now());
  return absl::OkStatus();
}

absl::StatusOr<bool> CoordinatorState::RunAndTell(
    GroupCommit::Command command) {
  bool available = false;
  RETURN_IF_ERROR(commands.Run([&](JobTransaction& transaction) {
    absl::Status status = command(transaction);
    // Taken even when the command failed, so that it is not left to the next
    // call, whose commit says nothing about this one.
    available = dispatcher.TakeWorkAvailable();
    return status;
  }));
  // After the commit and outside of the mutex: the listener asks again, which
  // runs commands in turn.
  if (available) on_work();
  return available;
}

// Says what a job waits for whose pictures are made by a pipeline.
std::string CoordinatorState::DescribeWait(const JobHeader& job,
                                           absl::Time now) const {
  std::string message =
      absl::StrCat("waiting: a pipeline of ", job.pipeline_stages,
                   " workers of one build with the model ", job.model,
                   "; there are ", groups.CountFor(job.model, now));
  const std::string trouble = groups.Trouble(job.model);
  if (!trouble.empty()) absl::StrAppend(&message, "; the last one: ", trouble);
  return message;
}

// Adds what is worth knowing but not worth storing; the stored job stays as it
// is.
Job CoordinatorState::Describe(const JobEntry& entry) const {
  const absl::Time now = clock.Now();
  Job job = entry.job;
  if (IsExecutable(job.state)) {
    job.images_per_second = entry.rate.PerSecond(now);
    // The commonest reason why nothing moves: a model's name misspelt. Said in
    // the job, so that a client which only watches sees it.
    if (!workers.AnyHasModel(job.header.model, now)) {
      job.message = absl::StrCat("waiting: no live worker has the model: ",
                                 job.header.model);
    } else if (job.header.pipeline_stages > 1 && entry.leases == 0) {
      job.message = DescribeWait(job.header, now);
    }
  } else if (job.state == JobState::kSealing) {
    // Why the manifest is late, until a later try succeeds.
    const std::string failure = seals.Failure(job.id);
    if (!failure.empty()) job.message = failure;
  }
  return job;
}

absl::StatusOr<JobEntry*> CoordinatorState::FindJob(const JobId& id) {
  JobEntry* const entry = jobs.Find(id);
  if (entry != nullptr) return entry;
  // NOT_FOUND and nothing else, whatever the id looks like (I11).
  return absl::NotFoundError(absl::StrCat("unknown job: ", id.value()));
}

absl::StatusOr<JobEntry*> CoordinatorState::FindCreating(const JobId& id) {
  ASSIGN_OR_RETURN(JobEntry* const entry, FindJob(id));
  if (entry->job.state == JobState::kCreating) return entry;
  return absl::FailedPreconditionError(
      absl::StrCat("job no longer takes prompts: ", id.value(), " is ",
                   std::string(JobStateName(entry->job.state))));
}

void CoordinatorState::RemoveJob(const JobId& id, JobTransaction& transaction) {
  ReleaseLoras(*jobs.Find(id));
  transaction.DeleteJob(id);
  jobs.Remove(id);
}

void CoordinatorState::ReleaseLoras(JobEntry& entry) {
  for (const LoraPin& pin : entry.loras) loras.Release(pin);
  entry.loras.clear();
}

absl::Status CoordinatorState::CheckFolderIsFree(
    const std::string& folder, const std::string& request_id) const {
  for (const auto& [number, entry] : jobs.entries()) {
    const Job& job = entry.job;
    // An ended job's folder is guarded by its manifest instead.
    if (IsTerminal(job.state)) continue;
    // A repeated submit may overlap with its own first half.
    if (!request_id.empty() && job.header.request_id == request_id) continue;
    const auto used = storage::NormalOutput(job.header.output_uri);
    // A folder that no longer parses was accepted by an older version; it
    // cannot be the one asked for.
    if (!used.ok() || *used != folder) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("output folder is in use by job ", job.id.value(), " (",
                     std::string(JobStateName(job.state)),
                     "); choose another folder, or cancel that job: ", folder));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<storage::OutputStore>>
CoordinatorState::OpenOutput(const std::string& uri) const {
  // No worker has this name, so no two write to one temporary file.
  return options.outputs.Open(uri, "coordinator");
}

absl::Status CoordinatorState::Seal(const Job& job, absl::Time end_time) const {
  // Was parsed when the job was taken, so this fails only if the store was
  // written by something else.
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputStore> output,
                   OpenOutput(job.header.output_uri));
  return SealJob(store, task_reader, job, end_time, *output);
}

}  // namespace tessera::coordinator
