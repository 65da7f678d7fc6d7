// How long the coordinator waits and how often it tries.
#ifndef TESSERA_COORDINATOR_COORDINATOR_OPTIONS_H_
#define TESSERA_COORDINATOR_COORDINATOR_OPTIONS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "common/storage/output_places.h"

namespace tessera::coordinator {

// Fixed for the life of a Coordinator.
struct CoordinatorOptions {
  // A worker that does not synchronize for this long loses its lease.
  absl::Duration lease_duration = absl::Seconds(10);
  // Leases lost without progress before a shard's tasks run one at a time.
  int32_t isolate_after = 2;
  // Leases lost without progress before a shard's first unfinished task fails.
  int32_t max_lost_leases = 10;
  // Lost workers are forgotten after this long.
  absl::Duration forget_worker_after = absl::Hours(1);
  // Opens outputs; it borrows what reaches buckets.
  storage::OutputPlaces outputs{nullptr};
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_COORDINATOR_OPTIONS_H_
