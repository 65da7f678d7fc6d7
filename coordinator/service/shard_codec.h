// The stored form of a shard's pictures: a compressed protocol buffer.
#ifndef TESSERA_COORDINATOR_SERVICE_SHARD_CODEC_H_
#define TESSERA_COORDINATOR_SERVICE_SHARD_CODEC_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/manifest.h"
#include "coordinator/sharder.h"
#include "tessera/internal/v1/shard.pb.h"

namespace tessera::coordinator {

// Returns the payload of a shard: its tasks as tessera.internal.v1.Shard,
// compressed with zstd.
std::string EncodeShard(const ShardTasks& tasks);

// Reads what EncodeShard wrote. Errors: DATA_LOSS when it is damaged or would
// be larger than a message may be; memory stays below that limit.
absl::StatusOr<internal::v1::Shard> DecodeShard(std::string_view payload);

// Reads where the pictures of a stored shard came from. Thread-safe.
class ShardTaskReader final : public TaskReader {
 public:
  absl::StatusOr<std::vector<TaskIdentity>> ReadTasks(
      std::string_view payload) const override;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_SHARD_CODEC_H_
