// Planned arenas, one a shape.
#ifndef TESSERA_WORKER_MODEL_SHAPE_ARENAS_H_
#define TESSERA_WORKER_MODEL_SHAPE_ARENAS_H_

#include <array>
#include <cstdint>
#include <list>
#include <memory>

#include "kernels/arena.h"

namespace tessera::model {

// Keeps the arenas used last, by what a forward pass depends on. Bounded,
// because every arena holds the memory of its shape. Thread-compatible.
class ShapeArenas {
 public:
  // Rows, height, width, the generation of the adapters (0: none), and where
  // the part of the net begins.
  using Key = std::array<int64_t, 5>;

  explicit ShapeArenas(size_t capacity) : capacity_(capacity) {}

  // Returns the arena of `key`, new and unplanned if it was not kept. Valid
  // until the next call. Allocates nothing when it was kept.
  kernels::Arena& For(const Key& key);

  // Forgets all, and gives their memory back.
  void Clear() { entries_.clear(); }

 private:
  // One arena and what it was planned for.
  struct Entry {
    Key key;
    std::unique_ptr<kernels::Arena> arena;
  };

  // Arenas kept; at least 1.
  const size_t capacity_;
  std::list<Entry> entries_;  // the one used last is first
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_SHAPE_ARENAS_H_
