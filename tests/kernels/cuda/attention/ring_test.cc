#include "kernels/cuda/tiles/ring.h"

#include <array>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

// An mbarrier as the ISA describes it.
class Barrier {
 public:
  explicit Barrier(int arrivals) : arrivals_(arrivals), missing_(arrivals) {}

  void Arrive() {
    if (--missing_ == 0) {
      missing_ = arrivals_;
      ++phase_;
    }
  }

  // Returns whether the phase of the given parity is over.
  bool Passes(unsigned parity) const { return phase_ % 2 != parity; }

 private:
  int arrivals_, missing_;
  unsigned phase_ = 0;
};

// A producer and consumers at their own speed. Each step of one of them waits
// for its barrier or does its work on the buffer.
template <int kStages>
class Pipeline {
 public:
  Pipeline(int items, int consumers)
      : items_(items),
        consumers_(consumers, Side{RingPosition<kStages>::OfConsumer(), 0}),
        full_(kStages, Barrier(1)),
        empty_(kStages, Barrier(consumers)),
        content_(kStages, -1) {}

  // Lets the producer (0) or a consumer (1, ...) go on; returns whether it
  // could.
  bool Step(int who) {
    if (who > 0) return Consume(consumers_[who - 1]);
    if (produced_.done == items_) return false;
    auto& at = produced_.at;
    if (!empty_[at.stage].Passes(at.parity)) return false;
    content_[at.stage] = produced_.done++;
    full_[at.stage].Arrive();
    at.Advance();
    return true;
  }

  bool Done() const {
    for (const Side& side : consumers_) {
      if (side.done != items_) return false;
    }
    return produced_.done == items_;
  }

 private:
  struct Side {
    RingPosition<kStages> at;
    int done;
  };

  bool Consume(Side& side) {
    if (side.done == items_) return false;
    if (!full_[side.at.stage].Passes(side.at.parity)) return false;
    // Neither overwritten too early nor read too early.
    EXPECT_EQ(content_[side.at.stage], side.done);
    ++side.done;
    empty_[side.at.stage].Arrive();
    side.at.Advance();
    return true;
  }

  int items_;
  Side produced_ = {RingPosition<kStages>::OfProducer(), 0};
  std::vector<Side> consumers_;
  std::vector<Barrier> full_, empty_;
  std::vector<int> content_;
};

// Runs random interleavings of two consumers and a producer to their end.
template <int kStages>
void RunAll() {
  std::mt19937 random(1);
  for (int items = 0; items <= 3 * kStages + 1; ++items) {
    for (int trial = 0; trial < 50; ++trial) {
      Pipeline<kStages> pipeline(items, 2);
      int idle = 0;
      while (!pipeline.Done()) {
        idle = pipeline.Step(static_cast<int>(random() % 3)) ? 0 : idle + 1;
        ASSERT_LT(idle, 200)
            << "hangs: stages " << kStages << ", items " << items;
      }
    }
  }
}

TEST(RingTest, EveryItemIsReadOnceByEachConsumerInOrder) {
  RunAll<1>();
  RunAll<2>();
  RunAll<3>();
  RunAll<4>();
}

TEST(RingTest, FreshBarriersLetProducersInAndConsumersNot) {
  const Barrier fresh(1);
  EXPECT_TRUE(fresh.Passes(RingPosition<2>::OfProducer().parity));
  EXPECT_FALSE(fresh.Passes(RingPosition<2>::OfConsumer().parity));
}

TEST(RingTest, PositionsFlipParityAtTheWrap) {
  auto at = RingPosition<2>::OfConsumer();
  at.Advance();
  EXPECT_EQ(at.stage, 1);
  EXPECT_EQ(at.parity, 0u);
  at.Advance();
  EXPECT_EQ(at.stage, 0);
  EXPECT_EQ(at.parity, 1u);
}

}  // namespace
}  // namespace tessera::kernels::cuda
