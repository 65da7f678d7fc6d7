// Which job a free worker serves next.
#ifndef TESSERA_COORDINATOR_SCHEDULER_H_
#define TESSERA_COORDINATOR_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tessera::coordinator {

// A job that has a shard for the worker in question.
struct JobCandidate {
  int64_t number = 0;      // order of creation
  int64_t leases = 0;      // shards of the job under lease now
  int64_t last_grant = 0;  // when it was last served, on any rising scale
};

// Returns the index of the job to serve; nothing without candidates.
//
// The job with the fewest leases comes first, then the one that was served
// longest ago, then the oldest. So workers are shared evenly, a small job gets
// its share beside a huge one even when there is a single worker, and jobs
// that nobody contests are served in order.
std::optional<size_t> PickJob(const std::vector<JobCandidate>& candidates);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SCHEDULER_H_
