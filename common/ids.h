// Strong types for the names that travel through the system.
#ifndef TESSERA_COMMON_IDS_H_
#define TESSERA_COMMON_IDS_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace tessera {

// A string that names one kind of thing; `Tag` keeps the kinds apart. Ordered
// and hashable, so that it can be a key.
template <typename Tag>
class StringId {
 public:
  StringId() = default;
  explicit StringId(std::string value) : value_(std::move(value)) {}

  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend auto operator<=>(const StringId&, const StringId&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const StringId& id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  std::string value_;
};

using JobId = StringId<struct JobIdTag>;        // what a client submitted
using WorkerId = StringId<struct WorkerIdTag>;  // one start of one process

// Names one shard: its job and its index within the job, from 0.
struct ShardId {
  JobId job;
  int64_t index = 0;

  friend auto operator<=>(const ShardId&, const ShardId&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const ShardId& id) {
    return H::combine(std::move(state), id.job, id.index);
  }
};

// Makes a new id: `prefix`, a dash, and 80 random bits in lower-case base 32,
// so that ids made on different machines do not meet. Thread-safe.
std::string MakeUniqueId(const std::string& prefix);

}  // namespace tessera

#endif  // TESSERA_COMMON_IDS_H_
