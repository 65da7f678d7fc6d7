#include "coordinator/lease_table.h"

#include <algorithm>
#include <tuple>

#include "common/check.h"

namespace tessera::coordinator {

void LeaseTable::Grant(const Lease& lease, const WorkerId& worker,
                       absl::Time expires) {
  const bool added =
      by_worker_.try_emplace(worker, HeldLease{lease, worker, expires}).second;
  CHECK(added);
}

std::optional<HeldLease> LeaseTable::Find(const WorkerId& worker) const {
  const auto it = by_worker_.find(worker);
  if (it == by_worker_.end()) return std::nullopt;
  return it->second;
}

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

void LeaseTable::Remove(const WorkerId& worker) { by_worker_.erase(worker); }

void LeaseTable::RevokeJob(const JobId& job) {
  for (auto& [worker, held] : by_worker_) {
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
  for (const HeldLease& held : expired) by_worker_.erase(held.worker);
  std::sort(expired.begin(), expired.end(),
            [](const HeldLease& a, const HeldLease& b) {
              return std::tie(a.expires, a.lease.shard) <
                     std::tie(b.expires, b.lease.shard);
            });
  return expired;
}

}  // namespace tessera::coordinator
