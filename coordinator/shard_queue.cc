#include "coordinator/shard_queue.h"

#include <algorithm>

namespace tessera::coordinator {
namespace {

// Whether a worker holds every LoRA of a set.
bool HoldsAll(const HeldLoras& held, const LoraSet& loras) {
  return std::all_of(loras.begin(), loras.end(), [&](const std::string& lora) {
    return held.contains(lora);
  });
}

}  // namespace

// Returns the number of the set's lane, new if it is seen for the first time.
size_t ShardQueue::LaneOf(const LoraSet& loras) {
  const auto [known, added] = lane_numbers_.try_emplace(loras, lanes_.size());
  if (!added) return known->second;
  const size_t lane = lanes_.size();
  lanes_.push_back({loras, {}});
  if (loras.empty()) by_lora_[""].push_back(lane);
  for (const std::string& lora : loras) by_lora_[lora].push_back(lane);
  return lane;
}

void ShardQueue::Push(int64_t shard, const LoraSet& loras) {
  const size_t number = LaneOf(loras);
  Lane& lane = lanes_[number];
  if (lane.shards.empty()) fronts_.emplace(next_place_, number);
  lane.shards.emplace_back(next_place_, shard);
  ++next_place_;
  ++size_;
}

// Returns the filled lane of a held set whose oldest shard has waited longest.
// Looks only at the lanes that name what is held, however many there are.
std::optional<size_t> ShardQueue::OldestHeld(const HeldLoras& held) const {
  std::optional<size_t> best;
  const auto consider = [&](const std::string& lora) {
    const auto lanes = by_lora_.find(lora);
    if (lanes == by_lora_.end()) return;
    for (const size_t number : lanes->second) {
      const Lane& lane = lanes_[number];
      const bool older =
          !lane.shards.empty() &&
          (!best || lane.shards.front() < lanes_[*best].shards.front());
      if (older && HoldsAll(held, lane.loras)) best = number;
    }
  };
  consider("");
  for (const std::string& lora : held) consider(lora);
  return best;
}

// Returns the lane to serve; the queue is not empty.
size_t ShardQueue::Choose(
    const HeldLoras& held,
    const std::function<bool(const LoraSet&)>& elsewhere) const {
  if (bypasses_ >= options_.max_bypasses) return fronts_.begin()->second;
  if (const std::optional<size_t> lane = OldestHeld(held)) return *lane;
  size_t looked = 0;
  for (const auto& [place, lane] : fronts_) {
    if (looked++ == options_.look_ahead) break;
    if (!elsewhere(lanes_[lane].loras)) return lane;
  }
  return fronts_.begin()->second;
}

std::optional<int64_t> ShardQueue::Pop(
    const HeldLoras& held,
    const std::function<bool(const LoraSet&)>& elsewhere) {
  if (empty()) return std::nullopt;
  const size_t number = Choose(held, elsewhere);
  Lane& lane = lanes_[number];
  const auto [place, shard] = lane.shards.front();
  bypasses_ = place == fronts_.begin()->first ? 0 : bypasses_ + 1;
  fronts_.erase({place, number});
  lane.shards.pop_front();
  if (!lane.shards.empty()) {
    fronts_.emplace(lane.shards.front().first, number);
  }
  --size_;
  return shard;
}

LoraSet ShardQueue::LikelyNext(
    const HeldLoras& held,
    const std::function<bool(const LoraSet&)>& elsewhere) const {
  if (empty()) return {};
  LoraSet next = lanes_[Choose(held, elsewhere)].loras;
  std::erase_if(next,
                [&](const std::string& lora) { return held.contains(lora); });
  return next;
}

void ShardQueue::clear() { *this = ShardQueue(options_); }

}  // namespace tessera::coordinator
