#include "coordinator/dispatcher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "coordinator/job_state.h"
#include "coordinator/retry_policy.h"
#include "coordinator/scheduler.h"
#include "coordinator/task_result.h"

namespace tessera::coordinator {
namespace {

// When a worker calls again that is in a pipeline group, or may soon be.
constexpr absl::Duration kGroupInterval = absl::Milliseconds(200);

}  // namespace

Dispatcher::Dispatcher(const CoordinatorOptions& options, JobTable& jobs,
                       LeaseTable& leases, WorkerRegistry& workers,
                       PipelineGroups& groups, CoordinatorStats& stats)
    : options_(options),
      jobs_(jobs),
      leases_(leases),
      workers_(workers),
      groups_(groups),
      stats_(stats) {}

void Dispatcher::AdoptLeases(absl::Time now) {
  // Cleared first: after a reload these are the only leases that exist.
  leases_.Clear();
  for (auto& [number, entry] : jobs_.entries()) {
    for (Shard& shard : entry.shards) {
      // A complete shard needs no lease, whatever its row says.
      if (shard.holder.empty() || shard.complete()) continue;
      if (entry.job.state == JobState::kSealing) {
        // Revoked when the job was closed, see HeldLease. The worker may have
        // heard of it and hold another lease by now, so none is granted; the
        // seal waits as long as one would have lasted.
        entry.quiet_after = now + options_.lease_duration;
        continue;
      }
      // A full period, whatever was left of it: the time the coordinator was
      // down is not the worker's fault, which needs a chance to call.
      leases_.Grant({{entry.job.id, shard.index}, shard.epoch}, shard.holder,
                    now + options_.lease_duration);
      ++entry.leases;
    }
  }
}

SynchronizeReply Dispatcher::Synchronize(const SynchronizeRequest& request,
                                         absl::Time now,
                                         JobTransaction& transaction) {
  // Overtaken by a newer call of this worker, which got the answer that counts.
  if (!workers_.Record(request, now)) {
    return {options_.lease_duration / 3, CarryOn{}};
  }
  groups_.Hear(request.worker, request.group, request.draining, now);
  SynchronizeReply reply = request.executing
                               ? AnswerExecuting(request, now)
                               : AnswerIdle(request, now, transaction);
  reply.group = groups_.AssignmentOf(request.worker);
  // Calls often while in a group, so that its end is known at both ends.
  if (reply.group.has_value() || request.group.has_value()) {
    reply.next_synchronization =
        std::min(reply.next_synchronization, kGroupInterval);
    reply.may_wait = false;
  }
  return reply;
}

// Renews a lease, or tells the worker to stop; grants nothing.
SynchronizeReply Dispatcher::AnswerExecuting(const SynchronizeRequest& request,
                                             absl::Time now) {
  const Lease& lease = *request.executing;
  SynchronizeReply reply{options_.lease_duration / 3, CarryOn{}};
  // Compared with the epoch: an older grant of the same shard is not renewed
  // (I3).
  if (leases_.Holds(request.worker, lease)) {
    leases_.Renew(request.worker, now + options_.lease_duration);
    return reply;
  }
  const JobEntry* entry = jobs_.Find(lease.shard.job);
  const bool known =
      entry != nullptr && lease.shard.index >= 0 &&
      lease.shard.index < static_cast<int64_t>(entry->shards.size());
  if (known) {
    // The commit that finished the shard overtook this call.
    const Shard& shard = entry->shards[lease.shard.index];
    // Carrying on is right: the worker learns of the end by its commit's
    // answer.
    if (shard.complete() && shard.epoch == lease.epoch) return reply;
  }
  std::string reason = "the lease was lost";
  if (entry == nullptr) {
    reason = "the job is unknown";
  } else if (!IsExecutable(entry->job.state)) {
    reason = absl::StrCat("the job is ",
                          std::string(JobStateName(entry->job.state)));
  }
  // At once: a worker that stops is free for other work.
  reply.next_synchronization = absl::ZeroDuration();
  reply.desired = Stop{std::move(reason)};
  return reply;
}

// Gives a shard, repeats a lost answer, or lets the call be held.
SynchronizeReply Dispatcher::AnswerIdle(const SynchronizeRequest& request,
                                        absl::Time now,
                                        JobTransaction& transaction) {
  std::optional<HeldLease> held = leases_.Find(request.worker);
  if (held && held->revoked) {
    // An idle worker writes no more files, so the seal need not wait for it.
    leases_.Remove(request.worker);
    held.reset();
  }
  SynchronizeReply reply{options_.lease_duration / 3, CarryOn{}};
  if (held) {
    // The answer that granted the lease was lost, or the worker forgot it.
    JobEntry& entry = *jobs_.Find(held->lease.shard.job);
    Shard& shard = entry.shards[held->lease.shard.index];
    if (request.draining) {
      Return(entry, shard, transaction);
    } else {
      leases_.Renew(request.worker, now + options_.lease_duration);
      reply.desired = AssignmentOf(entry, shard);
    }
    return reply;
  }
  if (request.draining) return reply;
  // Leaves a group that has ended; it is free once it says nothing of it.
  if (request.group.has_value() && !groups_.Contains(request.worker)) {
    return reply;
  }
  if (JobEntry* entry = PickFor(request.worker, request.info)) {
    reply.desired = Grant(*entry, request.worker, now, transaction);
    return reply;
  }
  if (groups_.Contains(request.worker) || OfferToPipelines(request, now)) {
    reply.next_synchronization = kGroupInterval;
    return reply;
  }
  // Zero: after a held call the worker asks again right away.
  reply.next_synchronization = absl::ZeroDuration();
  reply.may_wait = true;
  return reply;
}

// Says whether a worker may be given shards of a job: those of a pipeline go
// to the first rank of a group of so many stages, all others to workers that
// are in none.
bool Dispatcher::MayExecute(const WorkerId& worker,
                            const JobHeader& job) const {
  if (job.pipeline_stages <= 1) return !groups_.Contains(worker);
  return groups_.StagesLedBy(worker, job.model) == job.pipeline_stages;
}

// Offers a worker without work to the jobs that want a pipeline and forms a
// group if it completes one. Returns whether any job may want it.
bool Dispatcher::OfferToPipelines(const SynchronizeRequest& request,
                                  absl::Time now) {
  const std::vector<std::string>& models = request.info.models;
  bool offered = false;
  for (const auto& [number, entry] : jobs_.entries()) {
    const JobHeader& job = entry.job.header;
    const bool wants =
        job.pipeline_stages > 1 && IsExecutable(entry.job.state) &&
        !entry.waiting.empty() &&
        std::find(models.begin(), models.end(), job.model) != models.end();
    if (!wants) continue;
    groups_.Offer(request.worker,
                  {request.info.version, models, request.info.batch}, now);
    offered = true;
    // In the order of the jobs: the oldest one gets its group first.
    if (groups_.Form(job.model, job.pipeline_stages, now)) break;
  }
  return offered;
}

void Dispatcher::ExpireGroups(absl::Time now) {
  groups_.Expire(now, [&](const std::string& model, int stages) {
    return std::any_of(
        jobs_.entries().begin(), jobs_.entries().end(), [&](const auto& one) {
          const Job& job = one.second.job;
          return IsExecutable(job.state) && job.header.model == model &&
                 job.header.pipeline_stages == stages;
        });
  });
}

// Finds the job to serve among those this worker can do, or null.
JobEntry* Dispatcher::PickFor(const WorkerId& worker, const WorkerInfo& info) {
  std::vector<JobEntry*> entries;
  std::vector<JobCandidate> candidates;
  for (auto& [number, entry] : jobs_.entries()) {
    const bool eligible =
        IsExecutable(entry.job.state) && !entry.waiting.empty() &&
        MayExecute(worker, entry.job.header) &&
        std::find(info.models.begin(), info.models.end(),
                  entry.job.header.model) != info.models.end();
    if (!eligible) continue;
    entries.push_back(&entry);
    candidates.push_back({number, entry.leases, entry.last_grant});
  }
  // The choice itself is pure; see scheduler.h for the order (I8).
  const std::optional<size_t> picked = PickJob(candidates);
  return picked ? entries[*picked] : nullptr;
}

// Leases the waiting shard that suits a worker best to one that holds none, and
// tells it what it would have to fetch for the next.
Assignment Dispatcher::Grant(JobEntry& entry, const WorkerId& worker,
                             absl::Time now, JobTransaction& transaction) {
  const HeldLoras& held = workers_.HeldBy(worker);
  const auto elsewhere = [&](const LoraSet& loras) {
    return workers_.HeldByAnother(worker, loras, now);
  };
  Shard& shard = entry.shards[*entry.waiting.Pop(held, elsewhere)];
  // The new epoch is stored before the worker hears of it, so no two leases
  // ever share one, whatever crashes (I3, I6).
  shard.epoch += 1;
  shard.holder = worker;
  transaction.PutShard(entry.job.id, shard);
  if (entry.job.state == JobState::kQueued) {
    Advance(entry.job, JobState::kRunning);
    entry.job.start_time = now;
    transaction.PutJob(entry.job);
  }
  leases_.Grant({{entry.job.id, shard.index}, shard.epoch}, worker,
                now + options_.lease_duration);
  entry.leases += 1;
  // A count, not a time: it orders grants of the same instant as well.
  entry.last_grant = ++grants_;
  Assignment assignment = AssignmentOf(entry, shard);
  HeldLoras soon = held;
  soon.insert(shard.loras.get().begin(), shard.loras.get().end());
  assignment.prefetch_loras = entry.waiting.LikelyNext(soon, elsewhere);
  return assignment;
}

// Describes a lease in force, for its first answer and for a repeat of it.
Assignment Dispatcher::AssignmentOf(const JobEntry& entry,
                                    const Shard& shard) const {
  return {.lease = {{entry.job.id, shard.index}, shard.epoch},
          .model = entry.job.header.model,
          .output_uri = entry.job.header.output_uri,
          .pictures = shard.pictures(),
          // As of now: a repeat also tells what was committed in between.
          .finished_tasks = shard.finished.Tasks(),
          .isolate = shard.lost_leases >= options_.isolate_after,
          .allow_unmatched_loras = entry.job.header.allow_unmatched_loras,
          .pipeline_stages = entry.job.header.pipeline_stages};
}

// Ends the lease of a shard that still has work.
void Dispatcher::Return(JobEntry& entry, Shard& shard,
                        JobTransaction& transaction) {
  leases_.Remove(shard.holder);
  entry.leases -= 1;
  shard.holder = WorkerId();
  transaction.PutShard(entry.job.id, shard);
  // At the end: a shard that kills workers must not hold up the others.
  entry.waiting.Push(shard.index, shard.loras.get());
  work_available_ = true;
}

// Closes an executable job that has nothing left to do, or has no patience.
void Dispatcher::CloseIfOver(JobEntry& entry, JobTransaction& transaction) {
  const Job& job = entry.job;
  const std::optional<int64_t>& limit = job.header.max_failed_images;
  // The limit goes first: a job that used up its patience with its last picture
  // has failed.
  if (limit && job.images.failed > *limit) {
    Close(entry, JobState::kFailed,
          absl::StrCat("more pictures failed than allowed: ", job.images.failed,
                       ", allowed ", *limit),
          transaction);
  } else if (job.shards_finished == job.shards) {
    Close(entry, JobState::kSucceeded, "", transaction);
  }
}

void Dispatcher::Close(JobEntry& entry, JobState outcome, std::string message,
                       JobTransaction& transaction) {
  // Revoked, not removed: see HeldLease.
  leases_.RevokeJob(entry.job.id);
  entry.leases = 0;
  entry.waiting.clear();
  Job& job = entry.job;
  // Counts what is left, so that the numbers add up in the end (I1).
  job.images.cancelled += job.images.waiting();
  job.outcome = outcome;
  job.message = std::move(message);
  Advance(job, JobState::kSealing);
  transaction.PutJob(job);
  Log(Severity::kInfo, "job closed",
      {{"job", job.id.value()},
       {"outcome", JobStateName(outcome)},
       {"done", job.images.done},
       {"failed", job.images.failed},
       {"cancelled", job.images.cancelled}});
}

bool Dispatcher::TakeWorkAvailable() {
  return std::exchange(work_available_, false);
}

}  // namespace tessera::coordinator
