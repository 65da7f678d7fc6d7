// Activation memory, planned once per shape: no allocation in a forward pass.
#ifndef TESSERA_KERNELS_ARENA_H_
#define TESSERA_KERNELS_ARENA_H_

#include <cstdint>
#include <vector>

#include "kernels/tensor.h"

namespace tessera::kernels {

// The lifetimes of one forward pass's activations and the offsets they were
// given. Immutable once made by Arena::FinishPlan.
class ArenaPlan {
 public:
  int64_t bytes() const { return bytes_; }

 private:
  friend class Arena;
  std::vector<int64_t> offsets_;  // by order of allocation
  std::vector<int64_t> sizes_;
  int64_t bytes_ = 0;
};

class Scratch;

// Gives out activations. A forward function is written once and executed
// twice: first between BeginPlan and FinishPlan, when allocations are only
// noted (views have shapes and an unusable address); then between Begin and
// End of that plan, when the same calls return the planned places. Offsets are
// found greedily by size (Pisarchyk and Lee 2020). Thread-compatible.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Notes allocations until FinishPlan returns the plan of them.
  void BeginPlan();
  ArenaPlan FinishPlan();

  // Replays `plan`, which must stay alive until End. Grows the memory if the
  // plan needs more; that is the only heap allocation.
  void Begin(const ArenaPlan& plan);
  void End();

  // Returns an activation with unset elements that ends with the Scratch.
  // Calls between Begin and End must repeat the planned sequence.
  Scratch Allocate(DType dtype, const Shape& shape);

  // Returns the bytes held.
  int64_t capacity_bytes() const { return capacity_bytes_; }

 private:
  friend class Scratch;
  struct Lifetime {
    int64_t bytes = 0;
    int64_t begin = 0;  // ticks of allocation and release
    int64_t end = 0;
  };
  enum class Mode { kIdle, kPlan, kRun };

  void Release(int64_t index);

  Mode mode_ = Mode::kIdle;
  std::vector<Lifetime> lifetimes_;  // while planning
  int64_t tick_ = 0;
  const ArenaPlan* plan_ = nullptr;  // while running
  int64_t next_ = 0;
  Tensor memory_;
  int64_t capacity_bytes_ = 0;
};

// One activation; gives its place back when destroyed. Move-only.
class Scratch {
 public:
  Scratch() = default;
  Scratch(Scratch&& other) noexcept { *this = static_cast<Scratch&&>(other); }
  Scratch& operator=(Scratch&& other) noexcept;
  ~Scratch() { Reset(); }

  const TensorView& view() const { return view_; }
  operator const TensorView&() const { return view_; }
  const Shape& shape() const { return view_.shape(); }

  // Gives the place back now.
  void Reset();

 private:
  friend class Arena;
  Scratch(Arena* arena, int64_t index, const TensorView& view)
      : arena_(arena), index_(index), view_(view) {}

  Arena* arena_ = nullptr;
  int64_t index_ = 0;
  TensorView view_;
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_ARENA_H_
