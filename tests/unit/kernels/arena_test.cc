#include "kernels/arena.h"

#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/device.h"
#include "kernels/ops/elementwise.h"

namespace tessera::kernels {
namespace {

class ArenaTest : public testing::Test {
 protected:
  const std::unique_ptr<Device> device_ = *CreateCpuDevice(1);
  Stream stream_{*device_};
  Arena arena_;
};

TEST_F(ArenaTest, PlansOnceThenRuns) {
  int planned = 0, run = 0;
  const auto forward = [&] {
    const Scratch scratch = arena_.Allocate({100}, DType::kF32);
    ++(stream_.planning() ? planned : run);
  };

  EXPECT_TRUE(arena_.Run(stream_, forward).ok());
  EXPECT_TRUE(arena_.Run(stream_, forward).ok());

  EXPECT_EQ(planned, 1);
  EXPECT_EQ(run, 2);
  EXPECT_EQ(arena_.bytes(), 512);  // 400 rounded up to whole units
}

TEST_F(ArenaTest, LivingTensorsNeverOverlap) {
  struct Placed {
    const uint8_t* begin;
    const uint8_t* end;
  };
  // Tensors of pseudo-random sizes, of which at most four live at once.
  const auto forward = [&] {
    std::vector<std::unique_ptr<Scratch>> living;
    std::vector<Placed> places;
    uint32_t random = 7;
    for (int i = 0; i < 200; ++i) {
      random = random * 1664525 + 1013904223;
      const int64_t size = 1 + random / 65536 % 5000;
      living.push_back(
          std::make_unique<Scratch>(arena_.Allocate({size}, DType::kU8)));
      const uint8_t* const at = living.back()->view().u8();
      if (!stream_.planning()) {
        for (const Placed& other : places) {
          EXPECT_TRUE(at + size <= other.begin || other.end <= at);
        }
      }
      // Nowhere while planning, where no end can be counted from it.
      places.push_back({at, at == nullptr ? nullptr : at + size});
      if (living.size() == 4) {
        const size_t gone = random / 65536 % 4;
        living.erase(living.begin() + static_cast<std::ptrdiff_t>(gone));
        places.erase(places.begin() + static_cast<std::ptrdiff_t>(gone));
      }
    }
  };

  EXPECT_TRUE(arena_.Run(stream_, forward).ok());

  EXPECT_LT(arena_.bytes(), 200 * 2500 / 10);
}

TEST_F(ArenaTest, ReusesMemoryOfTheDead) {
  EXPECT_TRUE(arena_
                  .Run(stream_,
                       [&] {
                         for (int i = 0; i < 10; ++i) {
                           arena_.Allocate({1024}, DType::kU8);
                         }
                       })
                  .ok());

  EXPECT_EQ(arena_.bytes(), 1024);
}

TEST_F(ArenaTest, MovingAScratchMovesItsLife) {
  EXPECT_TRUE(arena_
                  .Run(stream_,
                       [&] {
                         Scratch a = arena_.Allocate({1024}, DType::kU8);
                         Scratch b = arena_.Allocate({1024}, DType::kU8);
                         a = std::move(b);  // a's first memory is free now
                         Scratch c = arena_.Allocate({1024}, DType::kU8);
                       })
                  .ok());

  EXPECT_EQ(arena_.bytes(), 2048);
}

TEST_F(ArenaTest, ErrorWhilePlanningIsReturnedBeforeAnythingRuns) {
  int runs = 0;

  const absl::Status status = arena_.Run(stream_, [&] {
    const Scratch a = arena_.Allocate({2}, DType::kF32);
    const Scratch b = arena_.Allocate({3}, DType::kF32);
    Add(stream_, {.a = a.view(), .b = b.view(), .out = a.view()});
    if (!stream_.planning()) ++runs;
  });

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(runs, 0);
}

TEST_F(ArenaTest, AnotherSequenceIsABug) {
  int64_t size = 10;
  const auto forward = [&] {
    const Scratch scratch = arena_.Allocate({size}, DType::kF32);
  };
  EXPECT_TRUE(arena_.Run(stream_, forward).ok());
  size = 100;

  EXPECT_DEATH(arena_.Run(stream_, forward).IgnoreError(), "bytes");
}

}  // namespace
}  // namespace tessera::kernels
