#include "coordinator/job_table.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/status_macros.h"
#include "coordinator/job_state.h"

namespace tessera::coordinator {

absl::Status JobTable::Load(const JobStore& store) {
  // Built aside and swapped in at the end: an error leaves the table as it was.
  std::map<int64_t, JobEntry> entries;
  absl::flat_hash_map<JobId, int64_t> numbers;
  ASSIGN_OR_RETURN(std::vector<Job> jobs, store.LoadJobs());
  for (Job& job : jobs) {
    JobEntry entry;
    // Keeping the shards of jobs that ended would cost memory for ever. Those
    // of a job that is sealing tell who was at work when it was closed.
    const bool has_work = !IsTerminal(job.state);
    if (has_work) {
      ASSIGN_OR_RETURN(entry.shards, store.LoadShards(job.id));
    }
    // Until its end a job keeps what it was promised from being deleted.
    if (!IsTerminal(job.state)) {
      ASSIGN_OR_RETURN(entry.loras, store.LoadLoraPins(job.id));
    }
    for (Shard& shard : entry.shards) {
      shard.loras = entry.lora_sets.Share(shard.loras.get());
      // Leased ones are queued by nobody: the dispatcher adopts them.
      if (!shard.complete() && shard.holder.empty() &&
          job.state != JobState::kSealing) {
        entry.waiting.Push(shard.index, shard.loras.get());
      }
    }
    numbers[job.id] = job.number;
    // Never lowered, so that a number that was given out is not reused after a
    // reload.
    last_number_ = std::max(last_number_, job.number);
    entry.job = std::move(job);
    const int64_t number = entry.job.number;
    entries.emplace(number, std::move(entry));
  }
  entries_ = std::move(entries);
  numbers_ = std::move(numbers);
  return absl::OkStatus();
}

JobEntry& JobTable::Add(Job job) {
  job.number = ++last_number_;
  // Three places must agree; nothing here can fail in between.
  numbers_[job.id] = job.number;
  JobEntry& entry = entries_[job.number];
  entry.job = std::move(job);
  return entry;
}

void JobTable::Remove(const JobId& id) {
  const auto it = numbers_.find(id);
  // Callers hold an id they found in this table.
  CHECK(it != numbers_.end());
  entries_.erase(it->second);
  numbers_.erase(it);
}

// Entries stand in a map whose nodes do not move: the pointer is valid until
// the job is removed or the table loaded anew.
JobEntry* JobTable::Find(const JobId& id) {
  const auto it = numbers_.find(id);
  return it == numbers_.end() ? nullptr : &entries_.at(it->second);
}

const Job* JobTable::FindRequest(const std::string& request_id) const {
  // No request id matches no job, not every job without one.
  if (request_id.empty()) return nullptr;
  // Linear over all jobs, once a submit; an index would have to follow every
  // removal.
  for (const auto& [number, entry] : entries_) {
    if (entry.job.header.request_id == request_id &&
        // A job in CREATING may still be dropped, so it answers for nobody.
        entry.job.state != JobState::kCreating) {
      return &entry.job;
    }
  }
  return nullptr;
}

}  // namespace tessera::coordinator
