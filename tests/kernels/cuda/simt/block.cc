#include "tests/kernels/cuda/simt/block.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace tessera::simt {
namespace {

// Fits the deepest kernel with its registers spilled, unoptimised builds and
// sanitizers included.
constexpr size_t kStackBytes = 256 * 1024;

// Is what CUDA promises of dynamic shared memory here.
constexpr size_t kSharedAlignment = 128;

// Is the block under way, for fibers have no arguments.
thread_local Block* running_block = nullptr;

}  // namespace

Block::Block(int threads, size_t shared_bytes, std::function<void()> body)
    : body_(std::move(body)), threads_(static_cast<size_t>(threads)) {
  memory_ = std::make_unique<std::byte[]>(shared_bytes + kSharedAlignment);
  const auto address = reinterpret_cast<uintptr_t>(memory_.get());
  shared_ = memory_.get() +
            (kSharedAlignment - address % kSharedAlignment) % kSharedAlignment;
  std::memset(shared_, 0xFF, shared_bytes);
  for (Thread& thread : threads_) {
    thread.stack = std::make_unique_for_overwrite<char[]>(kStackBytes);
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = thread.stack.get();
    thread.context.uc_stack.ss_size = kStackBytes;
    thread.context.uc_link = &scheduler_;
    makecontext(&thread.context, &Block::Start, 0);
  }
}

Block& Block::Running() { return *running_block; }

void Block::Start() {
  Block& block = Running();
  block.body_();
  block.threads_[static_cast<size_t>(block.running_)].state = State::kDone;
}

void Block::Run(const std::function<void(int)>& enter) {
  running_block = this;
  const int count = static_cast<int>(threads_.size());
  while (true) {
    bool moved = false;
    for (int i = 0; i < count; ++i) {
      Thread& thread = threads_[static_cast<size_t>(i)];
      if (thread.state != State::kReady) continue;
      running_ = i;
      enter(i);
      swapcontext(&scheduler_, &thread.context);
      moved = true;
    }
    if (std::all_of(threads_.begin(), threads_.end(),
                    [](const Thread& t) { return t.state == State::kDone; })) {
      break;
    }
    for (int first = 0; first < count; first += kLanes) {
      moved = ReleaseWarp(first) || moved;
    }
    moved = ReleaseBarrier() || moved;
    if (!moved) {
      std::fprintf(stderr, "simt: threads wait for others that never come\n");
      std::abort();
    }
  }
  running_block = nullptr;
}

void Block::Pause(State state) {
  Thread& thread = threads_[static_cast<size_t>(running_)];
  thread.state = state;
  swapcontext(&thread.context, &scheduler_);
}

void Block::Barrier() { Pause(State::kBarrier); }

void Block::Meet(void* operand, const Collective& collective) {
  Thread& thread = threads_[static_cast<size_t>(running_)];
  thread.operand = operand;
  thread.collective = &collective;
  Pause(State::kCollective);
}

void Block::Defer(std::function<void()> copy) {
  threads_[static_cast<size_t>(running_)].copies.back().push_back(
      std::move(copy));
}

void Block::Commit() {
  threads_[static_cast<size_t>(running_)].copies.emplace_back();
}

void Block::Wait(size_t pending) {
  auto& copies = threads_[static_cast<size_t>(running_)].copies;
  while (copies.size() > pending + 1) {
    for (const std::function<void()>& copy : copies.front()) copy();
    copies.pop_front();
  }
}

// Serves the warp from thread `first` on if all of its lanes are there; a lane
// that returned early is missed for ever, as on a device with a full mask.
bool Block::ReleaseWarp(int first) {
  if (first + kLanes > static_cast<int>(threads_.size())) return false;
  void* operands[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    Thread& thread = threads_[static_cast<size_t>(first + lane)];
    if (thread.state != State::kCollective) return false;
    operands[lane] = thread.operand;
  }
  (*threads_[static_cast<size_t>(first)].collective)(operands);
  for (int lane = 0; lane < kLanes; ++lane) {
    threads_[static_cast<size_t>(first + lane)].state = State::kReady;
  }
  return true;
}

// Opens the barrier when every thread that has not returned is there.
bool Block::ReleaseBarrier() {
  bool any = false;
  for (const Thread& thread : threads_) {
    if (thread.state == State::kDone) continue;
    if (thread.state != State::kBarrier) return false;
    any = true;
  }
  if (!any) return false;
  for (Thread& thread : threads_) {
    if (thread.state == State::kBarrier) thread.state = State::kReady;
  }
  return true;
}

}  // namespace tessera::simt
