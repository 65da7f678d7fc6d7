// Which worker may execute which shard, and until when.
#ifndef TESSERA_COORDINATOR_LEASE_TABLE_H_
#define TESSERA_COORDINATOR_LEASE_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/ids.h"
#include "coordinator/job.h"

namespace tessera::coordinator {

// A lease in force. A revoked one no longer allows commits; it stays until its
// worker has heard of it or its time is over, so that a job is not sealed
// while somebody still writes into its folder. JobEntry::quiet_after stands in
// for those that were revoked before a restart.
struct HeldLease {
  Lease lease;
  WorkerId worker;
  absl::Time expires;
  bool revoked = false;
};

// The leases in force: at most one a worker and one a shard (I6).
// Thread-compatible.
class LeaseTable {
 public:
  // Adds a lease; neither the worker nor the shard has one.
  void Grant(const Lease& lease, const WorkerId& worker, absl::Time expires);

  // Returns the lease of a worker, revoked or not.
  std::optional<HeldLease> Find(const WorkerId& worker) const;

  // Returns whether `worker` holds exactly `lease`, not revoked.
  bool Holds(const WorkerId& worker, const Lease& lease) const;

  // Extends the lease of `worker`, which has one.
  void Renew(const WorkerId& worker, absl::Time expires);

  // Removes the lease of `worker`, if any.
  void Remove(const WorkerId& worker);

  // Revokes every lease of a job.
  void RevokeJob(const JobId& job);

  // Returns whether a lease of the job is left, revoked or not.
  bool HasJob(const JobId& job) const;

  // Removes and returns the leases whose time is over, oldest first.
  std::vector<HeldLease> TakeExpired(absl::Time now);

  void Clear() { by_worker_.clear(); }
  int64_t size() const { return static_cast<int64_t>(by_worker_.size()); }

 private:
  absl::flat_hash_map<WorkerId, HeldLease> by_worker_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_LEASE_TABLE_H_
