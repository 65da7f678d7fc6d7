#include "kernels/arena.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tessera::kernels {
namespace {

constexpr int64_t RoundUp(int64_t bytes) {
  constexpr int64_t kUnit = static_cast<int64_t>(kAlignment);
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

}  // namespace

void Arena::BeginPlan() {
  CHECK(mode_ == Mode::kIdle);
  mode_ = Mode::kPlan;
  lifetimes_.clear();
  tick_ = 0;
}

ArenaPlan Arena::FinishPlan() {
  CHECK(mode_ == Mode::kPlan);
  mode_ = Mode::kIdle;
  ArenaPlan plan;
  plan.offsets_.resize(lifetimes_.size());
  for (Lifetime& life : lifetimes_) {
    if (life.end == 0) life.end = tick_ + 1;
    plan.sizes_.push_back(life.bytes);
  }
  std::vector<size_t> order(lifetimes_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return lifetimes_[a].bytes > lifetimes_[b].bytes;
  });
  // The largest first, each at the lowest place free over its whole life.
  std::vector<size_t> placed;  // by offset
  for (const size_t index : order) {
    const Lifetime& life = lifetimes_[index];
    int64_t offset = 0;
    for (const size_t other : placed) {
      const Lifetime& taken = lifetimes_[other];
      if (taken.end <= life.begin || life.end <= taken.begin) continue;
      if (offset + life.bytes <= plan.offsets_[other]) break;
      offset = std::max(offset, plan.offsets_[other] + taken.bytes);
    }
    plan.offsets_[index] = offset;
    plan.bytes_ = std::max(plan.bytes_, offset + life.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                   [&](size_t a, size_t b) {
                                     return plan.offsets_[a] < plan.offsets_[b];
                                   }),
                  index);
  }
  return plan;
}

void Arena::Begin(const ArenaPlan& plan) {
  CHECK(mode_ == Mode::kIdle);
  mode_ = Mode::kRun;
  plan_ = &plan;
  next_ = 0;
  if (plan.bytes_ > capacity_bytes_) {
    memory_ = Tensor();
    memory_ = Tensor::Uninitialized(DType::kU8, Shape{plan.bytes_});
    capacity_bytes_ = plan.bytes_;
  }
}

void Arena::End() {
  CHECK(mode_ == Mode::kRun);
  CHECK(next_ == static_cast<int64_t>(plan_->offsets_.size()));
  mode_ = Mode::kIdle;
  plan_ = nullptr;
}

Scratch Arena::Allocate(DType dtype, const Shape& shape) {
  CHECK(mode_ != Mode::kIdle);
  const int64_t bytes = RoundUp(shape.elements() * SizeOf(dtype));
  if (mode_ == Mode::kPlan) {
    lifetimes_.push_back({.bytes = bytes, .begin = ++tick_, .end = 0});
    // A view that says its shape and faults if anything reads it.
    void* const nowhere = reinterpret_cast<void*>(kAlignment);
    return Scratch(this, static_cast<int64_t>(lifetimes_.size()) - 1,
                   TensorView(nowhere, dtype, shape));
  }
  CHECK(next_ < static_cast<int64_t>(plan_->offsets_.size()));
  const auto index = static_cast<size_t>(next_++);
  CHECK(plan_->sizes_[index] == bytes);
  uint8_t* const place =
      static_cast<uint8_t*>(memory_.view().data()) + plan_->offsets_[index];
  return Scratch(this, static_cast<int64_t>(index),
                 TensorView(place, dtype, shape));
}

void Arena::Release(int64_t index) {
  if (mode_ == Mode::kPlan) {
    lifetimes_[static_cast<size_t>(index)].end = ++tick_;
  }
}

Scratch& Scratch::operator=(Scratch&& other) noexcept {
  if (this != &other) {
    Reset();
    arena_ = std::exchange(other.arena_, nullptr);
    index_ = other.index_;
    view_ = std::exchange(other.view_, TensorView());
  }
  return *this;
}

void Scratch::Reset() {
  if (arena_ != nullptr) arena_->Release(index_);
  arena_ = nullptr;
  view_ = TensorView();
}

}  // namespace tessera::kernels
