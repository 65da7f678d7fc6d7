// A shard's payload, read whole or known to be damaged.
#ifndef TESSERA_COORDINATOR_SHARD_PAYLOAD_H_
#define TESSERA_COORDINATOR_SHARD_PAYLOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/ids.h"
#include "coordinator/job.h"
#include "coordinator/manifest.h"
#include "coordinator/store/job_store.h"

namespace tessera::coordinator {

struct ShardPayload {
  std::string bytes;                // as handed in by AddShards
  std::vector<TaskIdentity> tasks;  // one a picture of the shard
};

// Reads the payload of a shard of `pictures` tasks. Errors: DATA_LOSS, naming
// the shard, when it is missing, cannot be decoded or has another number of
// tasks, so that no later try can help; any other code of the store may pass.
absl::StatusOr<ShardPayload> ReadShardPayload(const JobStore& store,
                                              const TaskReader& task_reader,
                                              const ShardId& shard,
                                              int32_t pictures);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SHARD_PAYLOAD_H_
