// Cuts a stream of pictures into shards.
#ifndef TESSERA_COORDINATOR_SHARDER_H_
#define TESSERA_COORDINATOR_SHARDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "coordinator/generation.h"

namespace tessera::coordinator {

// The pictures of one shard, in input order: (line, index) ascends.
using ShardTasks = std::vector<ImageTask>;

struct SharderOptions {
  int shard_size = 64;  // pictures a shard, at least 1
  // Groups kept open; the fullest is cut early when one more is needed.
  size_t max_open_groups = 1024;
  // A shard is cut early once its text weighs this much, so that it fits a
  // message; the fullest group is cut once all open ones weigh `open_bytes`.
  size_t max_shard_bytes = 16 << 20;
  size_t max_open_bytes = 256 << 20;
};

// Groups pictures by what is dear to change on a worker — size, then LoRA
// names — and cuts each group into shards, as pictures arrive. Pure: the same
// pictures in the same order give the same shards. Thread-compatible.
class Sharder {
 public:
  explicit Sharder(const SharderOptions& options);

  // Adds a picture; returns the shards that this filled, mostly none.
  std::vector<ShardTasks> Add(ImageTask task);

  // Returns what is left, a shard a group, ordered by first picture.
  std::vector<ShardTasks> Finish();

 private:
  struct Group {
    ShardTasks tasks;
    size_t bytes = 0;
  };
  using Groups = absl::flat_hash_map<std::string, Group>;

  ShardTasks Cut(Groups::iterator group);
  Groups::iterator Fullest();

  const SharderOptions options_;
  Groups groups_;
  size_t open_bytes_ = 0;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SHARDER_H_
