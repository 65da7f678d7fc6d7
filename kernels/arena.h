// Planned activation memory: a forward pass allocates nothing.
#ifndef TESSERA_KERNELS_ARENA_H_
#define TESSERA_KERNELS_ARENA_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "kernels/device_backend.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels {

class Arena;

// A scratch tensor of an arena; its memory is reused once this is destroyed.
// Move-only; must not outlive the forward pass that asked for it.
class Scratch {
 public:
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&& other) noexcept;
  ~Scratch();

  // Returns the tensor's memory, which points nowhere while the arena plans.
  TensorView view() const { return view_; }

 private:
  friend class Arena;
  Scratch(Arena* arena, int64_t id, TensorView view)
      : arena_(arena), id_(id), view_(view) {}

  // Is null after a move: the new owner releases.
  Arena* arena_;
  int64_t id_;
  TensorView view_;
};

// Memory of one forward function at one shape. The function is written once
// and executed twice the first time: a dry pass records when each scratch
// tensor lives, offsets are packed greedily by size, then passes run with
// fixed offsets. Every pass must make the same calls in the same order, which
// is checked. Owners keep one arena a shape key. Not thread-safe.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Runs `forward` on `stream`, planning it first if this is the first run.
  // Returns the first error known by then, such as RESOURCE_EXHAUSTED when the
  // device has too little memory; does not wait. All runs are on one device.
  absl::Status Run(Stream& stream, absl::FunctionRef<void()> forward);

  // Does the same, and where the device can, records the second run for which
  // `inputs` is the same and replays it from then on without calling
  // `forward`. `inputs` are the addresses outside of the arena that the pass
  // uses, and any other number that what it does depends on.
  absl::Status RunRecorded(Stream& stream, std::span<const uintptr_t> inputs,
                           absl::FunctionRef<void()> forward);

  // Returns a scratch tensor; only inside Run's function. Contents are
  // whatever was there before.
  Scratch Allocate(Shape shape, DType dtype);

  // Bytes of the planned block; 0 before the first run.
  int64_t bytes() const { return block_.bytes(); }

 private:
  friend class Scratch;

  // One scratch tensor: when it lives, in call order, and where.
  struct Block {
    int64_t bytes;
    // Ticks of the allocation and of the release.
    int64_t begin;
    int64_t end;
    int64_t offset;
  };

  absl::Status Plan(Stream& stream, absl::FunctionRef<void()> forward);
  absl::Status RunPlanned(Stream& stream, absl::FunctionRef<void()> forward);
  absl::Status Record(Stream& stream, absl::FunctionRef<void()> forward);
  void Release(int64_t id);
  absl::Status PackBlocks(Device& device);

  // Says what Allocate does: refuse, record, or replay the plan.
  enum class Mode { kIdle, kPlanning, kRunning };

  Mode mode_ = Mode::kIdle;
  // Of the device's memory.
  Place place_ = Place::kHost;
  // Is set once a plan was packed, and stays: the plan never changes.
  bool planned_ = false;
  // Ticks so far in the planning pass.
  int64_t clock_ = 0;
  // Which block the next allocation of a running pass gets.
  int64_t next_ = 0;
  // The scratch tensors in the order of their allocation.
  std::vector<Block> blocks_;
  // One block of bytes in which all of them lie.
  Tensor block_;
  // What the last run that was not replayed was given; recorded when it comes
  // again.
  std::vector<uintptr_t> inputs_;
  // Refers to `block_`. Null: the inputs have come once.
  std::unique_ptr<Recording> recording_;
  // Is set when a pass could not be recorded: it then runs op by op.
  bool unrecordable_ = false;
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_ARENA_H_
