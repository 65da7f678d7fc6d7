#include "common/output_layout.h"

#include "absl/strings/str_format.h"

namespace tessera {

std::string ShardFolder(int64_t shard_index) {
  // Pads to six digits, so that folders list in order up to a million shards.
  return absl::StrFormat("images/%06d", shard_index);
}

}  // namespace tessera
