#include "worker/model/shape_arenas.h"

#include <algorithm>

namespace tessera::model {

kernels::Arena& ShapeArenas::For(const Key& key) {
  // Searches the list: it holds a handful.
  const auto kept =
      std::find_if(entries_.begin(), entries_.end(),
                   [&](const Entry& entry) { return entry.key == key; });
  if (kept != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, kept);
  } else {
    // The oldest goes first, so that its memory serves the new one.
    if (entries_.size() == capacity_) entries_.pop_back();
    entries_.push_front({key, std::make_unique<kernels::Arena>()});
  }
  return *entries_.front().arena;
}

}  // namespace tessera::model
