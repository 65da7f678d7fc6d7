#include "kernels/arena.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/log.h"
#include "common/status_macros.h"
#include "kernels/device.h"

namespace tessera::kernels {

absl::Status Arena::Run(Stream& stream, absl::FunctionRef<void()> forward) {
  if (!planned_) RETURN_IF_ERROR(Plan(stream, forward));
  return RunPlanned(stream, forward);
}

// Plans before the first run. Ops validate on a planning stream but do not run,
// so a shape that does not fit is found before any memory is taken.
absl::Status Arena::Plan(Stream& stream, absl::FunctionRef<void()> forward) {
  mode_ = Mode::kPlanning;
  place_ = stream.device().memory().place();
  blocks_.clear();
  clock_ = 0;
  stream.set_planning(true);
  forward();
  stream.set_planning(false);
  mode_ = Mode::kIdle;
  // Leaves `planned_` unset on a bad plan: the next Run plans afresh.
  RETURN_IF_ERROR(stream.TakeError());
  RETURN_IF_ERROR(PackBlocks(stream.device()));
  planned_ = true;
  return absl::OkStatus();
}

// Calls `forward` with the planned places.
absl::Status Arena::RunPlanned(Stream& stream,
                               absl::FunctionRef<void()> forward) {
  mode_ = Mode::kRunning;
  next_ = 0;
  forward();
  mode_ = Mode::kIdle;
  // Catches a pass that asked for less than the plan; Allocate catches more.
  CHECK(next_ == static_cast<int64_t>(blocks_.size()));
  return stream.TakeError();
}

absl::Status Arena::RunRecorded(Stream& stream,
                                std::span<const uintptr_t> inputs,
                                absl::FunctionRef<void()> forward) {
  const DeviceBackend* const backend = stream.device().backend();
  if (backend == nullptr || !backend->can_record() || unrecordable_) {
    return Run(stream, forward);
  }
  // Runs op by op whatever is new: the first run also loads what the device
  // keeps from then on, which cannot be recorded.
  if (!planned_ || !std::ranges::equal(inputs, inputs_)) {
    recording_.reset();
    inputs_.assign(inputs.begin(), inputs.end());
    return Run(stream, forward);
  }
  if (recording_ == nullptr) {
    const absl::Status recorded = Record(stream, forward);
    if (!recorded.ok()) {
      RETURN_IF_ERROR(stream.device().health());
      Log(Severity::kWarning, "pass cannot be recorded, runs op by op",
          {{"status", recorded}});
      unrecordable_ = true;
      return RunPlanned(stream, forward);
    }
  }
  return recording_->Replay();
}

// Records a pass in place of running it.
absl::Status Arena::Record(Stream& stream, absl::FunctionRef<void()> forward) {
  DeviceBackend& backend = *stream.device().backend();
  RETURN_IF_ERROR(backend.BeginRecording());
  const absl::Status queued = RunPlanned(stream, forward);
  // Ends it in any case, or the device would go on recording.
  absl::StatusOr<std::unique_ptr<Recording>> recording = backend.EndRecording();
  RETURN_IF_ERROR(queued);
  ASSIGN_OR_RETURN(recording_, std::move(recording));
  return absl::OkStatus();
}

Scratch Arena::Allocate(Shape shape, DType dtype) {
  CHECK(mode_ != Mode::kIdle);
  // Places start where the device's memory may.
  const int64_t bytes = Memory::RoundUp(shape.elements() * SizeOf(dtype));
  if (mode_ == Mode::kPlanning) {
    // Ticks on every allocation and release, so that a life is an interval of
    // ticks and two tensors may share bytes when their intervals are disjoint.
    blocks_.push_back(
        {.bytes = bytes, .begin = ++clock_, .end = 0, .offset = 0});
    // Hands out a view that points nowhere: nothing dereferences it, for ops do
    // not run while planning.
    return Scratch(this, static_cast<int64_t>(blocks_.size()) - 1,
                   TensorView{nullptr, dtype, shape, place_});
  }
  // Replays the plan: the i-th request of a pass gets the i-th block, whatever
  // was recorded for it.
  CHECK(next_ < static_cast<int64_t>(blocks_.size()));
  const Block& block = blocks_[static_cast<size_t>(next_)];
  CHECK(block.bytes == bytes);
  return Scratch(
      this, next_++,
      TensorView{block_.view().u8() + block.offset, dtype, shape, place_});
}

// Ends a block's life in the plan; while running there is nothing to do, for
// every offset is already fixed.
void Arena::Release(int64_t id) {
  if (mode_ == Mode::kPlanning) {
    blocks_[static_cast<size_t>(id)].end = ++clock_;
  }
}

// Places the largest first, each at the lowest offset that is free during its
// whole life (greedy by size, Pisarchyk and Lee 2020), and takes the memory.
absl::Status Arena::PackBlocks(Device& device) {
  std::vector<size_t> order(blocks_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Keeps the order of equal sizes, so that a plan is the same on every
  // machine.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return blocks_[a].bytes > blocks_[b].bytes;
  });
  int64_t total = 0;
  std::vector<const Block*> placed;  // by offset
  for (const size_t index : order) {
    Block& block = blocks_[index];
    for (const Block* other : placed) {
      // Skips those whose life does not overlap; of the rest, `placed` is by
      // offset, so the first gap that is wide enough is the lowest.
      if (other->end <= block.begin || block.end <= other->begin) continue;
      if (block.offset + block.bytes <= other->offset) break;
      block.offset = std::max(block.offset, other->offset + other->bytes);
    }
    total = std::max(total, block.offset + block.bytes);
    const auto later = std::find_if(
        placed.begin(), placed.end(),
        [&](const Block* other) { return other->offset > block.offset; });
    placed.insert(later, &block);
  }
  ASSIGN_OR_RETURN(block_, Tensor::Create(device, Shape{total}, DType::kU8));
  return absl::OkStatus();
}

Scratch::Scratch(Scratch&& other) noexcept
    : arena_(std::exchange(other.arena_, nullptr)),
      id_(other.id_),
      view_(other.view_) {}

Scratch& Scratch::operator=(Scratch&& other) noexcept {
  if (this != &other) {
    if (arena_ != nullptr) arena_->Release(id_);
    arena_ = std::exchange(other.arena_, nullptr);
    id_ = other.id_;
    view_ = other.view_;
  }
  return *this;
}

Scratch::~Scratch() {
  if (arena_ != nullptr) arena_->Release(id_);
}

}  // namespace tessera::kernels
