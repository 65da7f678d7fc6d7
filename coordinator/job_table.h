// The jobs in memory: an index of what the store holds.
#ifndef TESSERA_COORDINATOR_JOB_TABLE_H_
#define TESSERA_COORDINATOR_JOB_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids.h"
#include "coordinator/job.h"
#include "coordinator/lora.h"
#include "coordinator/lora_set.h"
#include "coordinator/rate_meter.h"
#include "coordinator/shard_queue.h"
#include "coordinator/store/job_store.h"

namespace tessera::coordinator {

// A job and, until it is sealed, its shards.
struct JobEntry {
  Job job;
  std::vector<Shard> shards;  // by index
  ShardQueue waiting;         // incomplete shards without a lease
  LoraSetPool lora_sets;      // of the shards
  int64_t leases = 0;         // in force, not revoked
  // Until then workers may write for leases that were revoked before a load.
  absl::Time quiet_after = absl::InfinitePast();
  int64_t last_grant = 0;  // see JobCandidate
  RateMeter rate;          // pictures done
  // What the job was promised; empty once it has ended.
  std::vector<LoraPin> loras;
};

// Finds jobs by id, request id and order of creation. Thread-compatible.
class JobTable {
 public:
  // Replaces the contents by those of `store`. Shards that were leased are in
  // nobody's queue: their holders have to be granted or taken back.
  absl::Status Load(const JobStore& store);

  // Adds a job and gives it the next number.
  JobEntry& Add(Job job);

  // Removes a job, which must be there.
  void Remove(const JobId& id);

  // Returns the job, or null.
  JobEntry* Find(const JobId& id);

  // Returns the job with this request id that left CREATING, or null.
  const Job* FindRequest(const std::string& request_id) const;

  // All jobs by number.
  std::map<int64_t, JobEntry>& entries() { return entries_; }
  const std::map<int64_t, JobEntry>& entries() const { return entries_; }

 private:
  std::map<int64_t, JobEntry> entries_;
  absl::flat_hash_map<JobId, int64_t> numbers_;
  int64_t last_number_ = 0;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_JOB_TABLE_H_
