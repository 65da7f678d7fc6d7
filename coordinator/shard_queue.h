// The waiting shards of a job, and which of them suits a worker.
#ifndef TESSERA_COORDINATOR_SHARD_QUEUE_H_
#define TESSERA_COORDINATOR_SHARD_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "coordinator/lora_set.h"

namespace tessera::coordinator {

struct ShardQueueOptions {
  // The oldest shard is passed over at most so often before it is given to
  // whoever asks, so that no shard starves.
  int64_t max_bypasses = 32;
  // How many sets, from the one with the oldest shard on, are looked at for
  // one that no other worker holds.
  size_t look_ahead = 32;
};

// Hands shards to workers so that LoRAs are loaded seldom: a worker gets the
// oldest shard whose set it holds; else one whose set nobody holds, so that
// popular sets do not fill every cache; else the oldest. Without LoRAs that is
// a plain queue. Memory grows with the sets, not with the shards' text.
// Thread-compatible.
class ShardQueue {
 public:
  ShardQueue() = default;
  explicit ShardQueue(const ShardQueueOptions& options) : options_(options) {}

  // Adds a shard behind all others. `loras` must be sorted.
  void Push(int64_t shard, const LoraSet& loras);

  // Takes the shard for a worker that holds `held`; nothing when empty.
  // `elsewhere` says whether another live worker holds all of a set.
  std::optional<int64_t> Pop(
      const HeldLoras& held,
      const std::function<bool(const LoraSet&)>& elsewhere);

  // Returns what a worker that holds `held` would have to fetch if it came
  // back now: the set that Pop would choose without what it holds.
  LoraSet LikelyNext(
      const HeldLoras& held,
      const std::function<bool(const LoraSet&)>& elsewhere) const;

  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();

 private:
  // The waiting shards of one set, oldest first, each with its place in line.
  struct Lane {
    LoraSet loras;
    std::deque<std::pair<int64_t, int64_t>> shards;
  };

  size_t LaneOf(const LoraSet& loras);
  std::optional<size_t> OldestHeld(const HeldLoras& held) const;
  size_t Choose(const HeldLoras& held,
                const std::function<bool(const LoraSet&)>& elsewhere) const;

  ShardQueueOptions options_;
  std::vector<Lane> lanes_;
  absl::flat_hash_map<LoraSet, size_t> lane_numbers_;
  // Lanes that name a digest; those without any are under "".
  absl::flat_hash_map<std::string, std::vector<size_t>> by_lora_;
  // The place of each filled lane's oldest shard, and the lane.
  std::set<std::pair<int64_t, size_t>> fronts_;
  int64_t next_place_ = 0;
  int64_t size_ = 0;
  int64_t bypasses_ = 0;  // since the oldest shard was taken
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SHARD_QUEUE_H_
