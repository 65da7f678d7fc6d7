#include "coordinator/lease_table.h"

#include <algorithm>
#include <tuple>

#include "common/check.h"

namespace tessera::coordinator {

void LeaseTable::Grant(const Lease& lease, const WorkerId& worker,
                       absl::Time expires) {
  // Keyed by the worker, which has one lease at most; that a shard has one too
  // follows from shards being taken from the queue when they are leased (I6).
  const bool added =
      by_worker_.try_emplace(worker, HeldLease{lease, worker, expires}).second;
  CHECK(added);
}

std::optional<HeldLease> LeaseTable::Find(const WorkerId& worker) const {
  const auto it = by_worker_.find(worker);
  if (it == by_worker_.end()) return std::nullopt;
  return it->second;
}

// Compares the whole lease: job, shard and epoch. This is the fence behind I3.
bool LeaseTable::Holds(const WorkerId& worker, const Lease& lease) const {
  const auto it = by_worker_.find(worker);
  return it != by_worker_.end() && it->second.lease == lease &&
         !it->second.revoked;
}

void LeaseTable::Renew(const WorkerId& worker, absl::Time expires) {
  const auto it = by_worker_.find(worker);
  CHECK(it != by_worker_.end());
  it->second.expires = expires;
}

// Forgiving on purpose: the lease may have expired before.
void LeaseTable::Remove(const WorkerId& worker) { by_worker_.erase(worker); }

void LeaseTable::RevokeJob(const JobId& job) {
  for (auto& [worker, held] : by_worker_) {
    // Left in the table, see HeldLease; Holds refuses it from now on.
    if (held.lease.shard.job == job) held.revoked = true;
  }
}

bool LeaseTable::HasJob(const JobId& job) const {
  return std::any_of(by_worker_.begin(), by_worker_.end(), [&](const auto& e) {
    return e.second.lease.shard.job == job;
  });
}

std::vector<HeldLease> LeaseTable::TakeExpired(absl::Time now) {
  std::vector<HeldLease> expired;
  for (const auto& [worker, held] : by_worker_) {
    if (held.expires <= now) expired.push_back(held);
  }
  // After the loop, which erasing would invalidate.
  for (const HeldLease& held : expired) by_worker_.erase(held.worker);
  // An order that does not depend on hashing: shards go back to their queues in
  // it, and tests and logs repeat.
  std::sort(expired.begin(), expired.end(),
            [](const HeldLease& a, const HeldLease& b) {
              return std::tie(a.expires, a.lease.shard) <
                     std::tie(b.expires, b.lease.shard);
            });
  return expired;
}

}  // namespace tessera::coordinator
