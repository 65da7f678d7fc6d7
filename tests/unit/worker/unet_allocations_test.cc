#include <atomic>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"
#include "tests/unit/worker/demo_model.h"
#include "worker/model/batch_rows.h"

// Replaces the allocator of the whole program, which is why this test is a
// program of its own.
namespace {

std::atomic<int64_t> allocations{0};

void* Counted(size_t bytes, size_t alignment) {
  ++allocations;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const memory =
      std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) {
  return Counted(bytes, alignof(std::max_align_t));
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  return Counted(bytes, static_cast<size_t>(alignment));
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return Counted(bytes, alignof(std::max_align_t));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;

// Runs calls of one shape and returns what the last one allocated.
int64_t AllocationsOfThirdCall(const DemoModel& demo,
                               const std::vector<AdapterUse>& adapters) {
  PromptCache prompts(*demo.model, 4);
  BatchRows rows(*demo.model, 2);
  AdapterSets sets(*demo.model, 0);
  const auto set = sets.Prepare(adapters).value();
  const auto prompt = prompts.Get({.text = "a red apple"}, *set).value();
  EXPECT_TRUE(
      rows.Arrange({{prompt, set}, {prompt, sets.Prepare({}).value()}}).ok());
  const Tensor sample(Shape{2, 8, 8, 4}, DType::kF32);
  const Tensor out(Shape{2, 8, 8, 4}, DType::kF32);
  const Tensor timesteps(Shape{2}, DType::kF32);
  for (int call = 0; call < 2; ++call) {
    EXPECT_TRUE(rows.Predict(sample.view(), timesteps.view(), out.view()).ok());
  }
  const int64_t before = allocations;
  const absl::Status status =
      rows.Predict(sample.view(), timesteps.view(), out.view());
  const int64_t after = allocations;
  EXPECT_TRUE(status.ok()) << status;
  return after - before;
}

TEST(UNetAllocationsTest, ForwardPassAllocatesNothing) {
  const DemoModel demo(2);

  EXPECT_EQ(AllocationsOfThirdCall(demo, {}), 0);
}

TEST(UNetAllocationsTest, ForwardPassWithAdaptersAllocatesNothing) {
  const DemoModel demo(2);

  EXPECT_EQ(AllocationsOfThirdCall(
                demo, {{demo.Adapter("ink-peft.safetensors"), 1.0f}}),
            0);
}

}  // namespace
}  // namespace tessera::model
