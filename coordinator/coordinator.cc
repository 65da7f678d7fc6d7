#include "coordinator/coordinator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "coordinator/coordinator_state.h"
#include "coordinator/job_state.h"
#include "coordinator/output_folder.h"

namespace tessera::coordinator {

Coordinator::Coordinator(std::unique_ptr<CoordinatorState> state)
    : state_(std::move(state)) {}

Coordinator::~Coordinator() = default;

absl::StatusOr<std::unique_ptr<Coordinator>> Coordinator::Open(
    const CoordinatorOptions& options, Clock& clock, JobStore& store,
    const TaskReader& task_reader, std::function<void()> on_work) {
  auto state = std::make_unique<CoordinatorState>(
      options, clock, store, task_reader, std::move(on_work));
  // Before any command: nobody else has the state yet.
  RETURN_IF_ERROR(state->Load());
  // A job in CREATING lost its client with the process that received it: the
  // file cannot be completed, so what was stored goes (I10).
  RETURN_IF_ERROR(state->commands.Run([&](JobTransaction& transaction) {
    // Collected first, as Remove invalidates the iteration.
    std::vector<JobId> half_made;
    for (const auto& [number, entry] : state->jobs.entries()) {
      if (entry.job.state != JobState::kCreating) continue;
      half_made.push_back(entry.job.id);
    }
    for (const JobId& id : half_made) {
      state->RemoveJob(id, transaction);
      Log(Severity::kWarning, "half-made job removed", {{"job", id.value()}});
    }
    return absl::OkStatus();
  }));
  return std::unique_ptr<Coordinator>(new Coordinator(std::move(state)));
}

absl::StatusOr<BegunJob> Coordinator::BeginJob(const JobHeader& header) {
  ASSIGN_OR_RETURN(const std::string folder,
                   storage::NormalOutput(header.output_uri));
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputStore> output,
                   state_->OpenOutput(folder));
  // Looks at the output before the command, so that a slow mount delays this
  // call alone. The answer may be out of date by the time it is used;
  // CreateOutput and the seal report what changed.
  const absl::Status usable = CheckOutput(folder, *output);
  BegunJob begun;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction& transaction) {
    // Before the folder is judged: a repeated submit must find its job even
    // though that job's own manifest is in the folder by now.
    if (const Job* first = state_->jobs.FindRequest(header.request_id)) {
      const JobEntry& entry = *state_->jobs.Find(first->id);
      begun = {.id = first->id, .existing = state_->Describe(entry)};
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(usable);
    // In the same command as Add: of two jobs for one folder the second is
    // refused however close they come.
    RETURN_IF_ERROR(state_->CheckFolderIsFree(folder, header.request_id));
    begun = {.id = JobId(MakeUniqueId("job"))};
    const JobEntry& entry = state_->jobs.Add(
        // Durable before the first shard is, so that shards always have a job.
        {.id = begun.id, .header = header, .create_time = state_->clock.Now()});
    transaction.PutJob(entry.job);
    return absl::OkStatus();
  }));
  return begun;
}

absl::Status Coordinator::AddShards(const JobId& job,
                                    std::vector<ShardDraft> drafts) {
  // No client can cause this, as the service cuts the shards; refused all the
  // same, since such a shard has nothing to execute.
  for (const ShardDraft& draft : drafts) {
    if (draft.pictures >= 1) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("shard without pictures: line ", draft.first_line));
  }
  // All drafts in one command: a crash leaves all of them or none.
  return state_->commands.Run([&](JobTransaction& transaction) {
    ASSIGN_OR_RETURN(JobEntry* const entry, state_->FindCreating(job));
    for (const ShardDraft& draft : drafts) {
      // Numbers count on from what is stored; counting in memory is safe, as a
      // commit that fails reads memory again.
      Shard shard{.index = entry->job.shards++,
                  .first_line = draft.first_line,
                  .loras = entry->lora_sets.Share(draft.loras),
                  .finished = TaskSet(draft.pictures)};
      entry->job.images.total += draft.pictures;
      transaction.AddShard(job, shard, draft.payload);
      // Queued already but not eligible: workers are given only QUEUED and
      // RUNNING jobs.
      entry->waiting.Push(shard.index, draft.loras);
      entry->shards.push_back(std::move(shard));
    }
    transaction.PutJob(entry->job);
    return absl::OkStatus();
  });
}

absl::StatusOr<Job> Coordinator::FinishJob(const JobId& job, int64_t lines) {
  std::string output_uri;
  // A command that only reads: without a write there is no fsync.
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    ASSIGN_OR_RETURN(JobEntry* const entry, state_->FindCreating(job));
    output_uri = entry->job.header.output_uri;
    return entry->job.shards > 0
               ? absl::OkStatus()
               : absl::InvalidArgumentError("the job has no prompts");
  }));
  ASSIGN_OR_RETURN(const std::string folder, storage::NormalOutput(output_uri));
  // Outside of a command, as it touches the file system. A crash after this
  // leaves an empty folder and nothing else.
  RETURN_IF_ERROR(CreateOutput(folder));
  Job result;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction& transaction) {
    ASSIGN_OR_RETURN(JobEntry * entry, state_->FindCreating(job));
    // Two submits with one request id may have been received side by side; the
    // first to finish is the job, and this one's shards are dropped.
    const Job* first = state_->jobs.FindRequest(entry->job.header.request_id);
    if (first != nullptr) {
      state_->RemoveJob(job, transaction);
      entry = state_->jobs.Find(first->id);
    } else {
      entry->job.lines = lines;
      // From here on the job is visible, and an answer says it is stored (I2).
      Advance(entry->job, JobState::kQueued);
      transaction.PutJob(entry->job);
    }
    result = state_->Describe(*entry);
    return absl::OkStatus();
  }));
  if (result.id != job) {
    Log(Severity::kInfo, "job dropped, its request was accepted before",
        {{"job", job.value()}, {"accepted", result.id.value()}});
    return result;
  }
  Log(Severity::kInfo, "job accepted",
      {{"job", result.id.value()},
       {"pictures", result.images.total},
       {"shards", result.shards}});
  // After the commit: a woken worker must find the job.
  state_->on_work();
  return result;
}

absl::Status Coordinator::AbortJob(const JobId& job) {
  return state_->commands.Run([&](JobTransaction& transaction) {
    // Gone already: a submit that lost against its twin, or a second abort.
    if (state_->jobs.Find(job) == nullptr) return absl::OkStatus();
    RETURN_IF_ERROR(state_->FindCreating(job).status());
    state_->RemoveJob(job, transaction);
    return absl::OkStatus();
  });
}

// Errors: NOT_FOUND; an id that was never acknowledged is never shown as done
// (I11).
absl::StatusOr<Job> Coordinator::GetJob(const JobId& job) {
  Job result;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    ASSIGN_OR_RETURN(const JobEntry* entry, state_->FindJob(job));
    result = state_->Describe(*entry);
    return absl::OkStatus();
  }));
  return result;
}

absl::StatusOr<JobPage> Coordinator::ListJobs(int64_t before, int64_t limit) {
  JobPage page;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    const auto& entries = state_->jobs.entries();
    // Exclusive: the page goes down from the job before `before`.
    auto end = before > 0 ? entries.lower_bound(before) : entries.end();
    while (end != entries.begin() &&
           static_cast<int64_t>(page.jobs.size()) < limit) {
      --end;
      page.jobs.push_back(state_->Describe(end->second));
    }
    // The last job listed, so that jobs created meanwhile do not shift pages.
    if (end != entries.begin()) page.next = end->first;
    return absl::OkStatus();
  }));
  return page;
}

absl::StatusOr<Job> Coordinator::CancelJob(const JobId& job) {
  Job result;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction& transaction) {
    ASSIGN_OR_RETURN(JobEntry* const entry, state_->FindJob(job));
    // Revokes the leases in the command that cancels: no commit that is
    // answered after this one lands (I7).
    if (IsExecutable(entry->job.state)) {
      state_->dispatcher.Close(*entry, JobState::kCancelled, "cancelled",
                               transaction);
      // Already cancelled or about to be: the repeat is answered like the
      // first. A job that ended otherwise, or is still CREATING, cannot be.
    } else if (entry->job.outcome != JobState::kCancelled) {
      return absl::FailedPreconditionError(
          absl::StrCat("job cannot be cancelled: ", job.value(), " is ",
                       std::string(JobStateName(entry->job.state))));
    }
    result = state_->Describe(*entry);
    return absl::OkStatus();
  }));
  return result;
}

absl::StatusOr<ImagePage> Coordinator::ListImages(const JobId& job,
                                                  int64_t first_shard,
                                                  int64_t limit) {
  // Reads outside of commands: results are never changed once stored, so a page
  // needs no lock, and a big one delays nobody.
  ASSIGN_OR_RETURN(const Job found, GetJob(job));
  ImagePage page;
  int64_t shard = std::max<int64_t>(first_shard, 0);
  for (;
       // Whole shards only, so that the shard's number is all a token holds.
       shard < found.shards && static_cast<int64_t>(page.images.size()) < limit;
       ++shard) {
    ASSIGN_OR_RETURN(const std::vector<TaskResult> results,
                     state_->store.ReadResults({job, shard}));
    for (const TaskResult& result : results) {
      const auto* image = std::get_if<ImageRecord>(&result.outcome);
      if (image != nullptr) page.images.push_back(*image);
    }
  }
  if (shard < found.shards) page.next_shard = shard;
  return page;
}

absl::StatusOr<std::vector<Worker>> Coordinator::ListWorkers() {
  std::vector<Worker> workers;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    workers = state_->workers.List(state_->clock.Now());
    for (Worker& worker : workers) {
      const auto group = state_->groups.AssignmentOf(worker.id);
      if (!group.has_value()) continue;
      worker.group = group->group;
      worker.group_rank = group->rank;
    }
    return absl::OkStatus();
  }));
  return workers;
}

absl::StatusOr<CoordinatorStats> Coordinator::Stats() {
  CoordinatorStats stats;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    stats = state_->stats;
    stats.leases = state_->leases.size();
    stats.loras = state_->loras.names();
    stats.lora_bytes = state_->loras.bytes();
    stats.workers = state_->workers.CountLive(state_->clock.Now());
    stats.groups_formed_total = state_->groups.counts().formed;
    stats.groups_ended_total = state_->groups.counts().ended;
    // A walk over all jobs twice a second; ended ones are skipped at once.
    for (const auto& [number, entry] : state_->jobs.entries()) {
      if (IsTerminal(entry.job.state)) continue;
      stats.jobs_active += 1;
      if (entry.job.state == JobState::kSealing) stats.jobs_sealing += 1;
      // CREATING jobs have shards too, but none that may be leased.
      if (!IsExecutable(entry.job.state)) continue;
      stats.shards_waiting += entry.waiting.size();
      stats.images_waiting += entry.job.images.waiting();
    }
    return absl::OkStatus();
  }));
  return stats;
}

absl::StatusOr<bool> Coordinator::Tick() {
  return state_->RunAndTell([&](JobTransaction& transaction) {
    const absl::Time now = state_->clock.Now();
    // Expires first: a worker is forgotten long after its lease.
    state_->dispatcher.ExpireLeases(now, transaction);
    state_->dispatcher.ExpireGroups(now);
    state_->workers.Forget(now);
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> Coordinator::SealDue() {
  std::vector<Job> due;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    // A revoked lease counts as well: its worker may still be writing into the
    // folder. It goes when that worker says it is idle, or when its time is
    // over. One that was revoked before the tables were loaded is known by its
    // time alone.
    const absl::Time now = state_->clock.Now();
    for (const auto& [number, entry] : state_->jobs.entries()) {
      const bool quiet = entry.job.state == JobState::kSealing &&
                         !state_->leases.HasJob(entry.job.id) &&
                         entry.quiet_after <= now;
      if (quiet && state_->seals.IsDue(entry.job.id, now)) {
        // Copies the job: the seal reads it while commands go on.
        due.push_back(entry.job);
      }
    }
    return absl::OkStatus();
  }));
  int64_t sealed = 0;
  for (const Job& job : due) {
    // Each job has its own time: a seal may take minutes.
    const absl::Time now = state_->clock.Now();
    const absl::Status status =
        // Outside of commands, since it reads every shard and writes files. A
        // job in SEALING is not changed by anyone else meanwhile.
        state_->Seal(job, now);
    RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction& transaction) {
      if (!status.ok()) {
        // Kept out of the transaction: the job stays SEALING in the store.
        state_->seals.Fail(job.id, status, state_->clock.Now());
        return absl::OkStatus();
      }
      // Found: jobs are removed in CREATING only.
      JobEntry& entry = *state_->jobs.Find(job.id);
      Advance(entry.job, entry.job.outcome);
      entry.job.end_time = now;
      // Frees the bitmaps; what ended is read from the store.
      entry.shards = {};
      state_->ReleaseLoras(entry);
      // The files are synced before this commit, so a job that is stored as
      // ended has its manifest. A crash in between seals again.
      transaction.PutJob(entry.job);
      state_->seals.Forget(job.id);
      return absl::OkStatus();
    }));
    if (status.ok()) ++sealed;
  }
  return sealed;
}

}  // namespace tessera::coordinator
