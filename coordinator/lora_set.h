// The LoRAs that the pictures of a shard share.
#ifndef TESSERA_COORDINATOR_LORA_SET_H_
#define TESSERA_COORDINATOR_LORA_SET_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace tessera::coordinator {

// The digests of LoRAs, sorted; empty: none.
using LoraSet = std::vector<std::string>;

// What a worker's node holds, by digest.
using HeldLoras = absl::flat_hash_set<std::string>;

// A set that many shards point to. Compares by value. Immutable.
class SharedLoraSet {
 public:
  SharedLoraSet() = default;  // no LoRAs
  explicit SharedLoraSet(LoraSet loras)
      : loras_(loras.empty()
                   ? nullptr
                   : std::make_shared<const LoraSet>(std::move(loras))) {}

  const LoraSet& get() const {
    static const LoraSet* const none = new LoraSet;
    return loras_ == nullptr ? *none : *loras_;
  }

  friend bool operator==(const SharedLoraSet& a, const SharedLoraSet& b) {
    return a.loras_ == b.loras_ || a.get() == b.get();
  }

 private:
  std::shared_ptr<const LoraSet> loras_;  // null: none
};

// Gives equal sets one place in memory: a job has few sets and may have
// millions of shards. Thread-compatible.
class LoraSetPool {
 public:
  // Returns the pooled set equal to `loras`.
  SharedLoraSet Share(const LoraSet& loras) {
    if (loras.empty()) return SharedLoraSet();
    const auto [known, added] = sets_.try_emplace(loras);
    if (added) known->second = SharedLoraSet(loras);
    return known->second;
  }

 private:
  absl::flat_hash_map<LoraSet, SharedLoraSet> sets_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_LORA_SET_H_
