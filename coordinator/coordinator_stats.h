// What the coordinator counts.
#ifndef TESSERA_COORDINATOR_COORDINATOR_STATS_H_
#define TESSERA_COORDINATOR_COORDINATOR_STATS_H_

#include <cstdint>
#include <map>
#include <string>

namespace tessera::coordinator {

// Sizes and totals for metrics. Totals count since the process started.
struct CoordinatorStats {
  int64_t jobs_active = 0;  // created, not yet ended
  int64_t jobs_sealing = 0;
  int64_t shards_waiting = 0;  // could be leased now
  int64_t images_waiting = 0;  // of executable jobs, not yet ended
  int64_t leases = 0;
  int64_t workers = 0;     // that synchronize in time
  int64_t loras = 0;       // names
  int64_t lora_bytes = 0;  // of all files
  int64_t images_done_total = 0;
  int64_t images_failed_total = 0;
  int64_t leases_lost_total = 0;
  int64_t conflicts_total = 0;
  int64_t groups_formed_total = 0;  // of workers for pipelines
  std::map<std::string, int64_t> groups_ended_total;  // by reason
  int64_t commits_total = 0;  // calls of CommitResults that were accepted
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_COORDINATOR_STATS_H_
