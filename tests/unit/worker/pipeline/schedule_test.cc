#include "worker/pipeline/schedule.h"

#include <deque>
#include <map>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::pipeline {
namespace {

using ::testing::ElementsAre;

// A folded layout of `ranks` ranks, a piece a segment.
Layout FoldedPieces(int ranks) {
  Layout layout{.ranks = ranks};
  size_t piece = 0;
  for (int rank = 0; rank < ranks; ++rank, ++piece) {
    layout.segments.push_back({rank, piece, piece + 1});
  }
  for (int rank = ranks - 2; rank >= 0; --rank, ++piece) {
    layout.segments.push_back({rank, piece, piece + 1});
  }
  return layout;
}

std::vector<Visit> Take(VisitOrder order, int count) {
  std::vector<Visit> visits;
  for (int i = 0; i < count; ++i) visits.push_back(order.Next());
  return visits;
}

TEST(VisitOrderTest, FirstRankFillsThePipelineAndThenGoesUpFirst) {
  const VisitOrder order(FoldedPieces(2), 0, 4);

  EXPECT_THAT(Take(order, 8),
              ElementsAre(Visit{0, 0}, Visit{0, 1}, Visit{0, 2}, Visit{0, 3},
                          Visit{2, 0}, Visit{0, 0}, Visit{2, 1}, Visit{0, 1}));
}

TEST(VisitOrderTest, LastRankTakesThemInTurn) {
  const VisitOrder order(FoldedPieces(3), 2, 6);

  EXPECT_THAT(Take(order, 7),
              ElementsAre(Visit{2, 0}, Visit{2, 1}, Visit{2, 2}, Visit{2, 3},
                          Visit{2, 4}, Visit{2, 5}, Visit{2, 0}));
}

// Plays all ranks with messages that queue up between segments, each rank in
// its own order, and returns how many visits were made before all waited.
int PlayUntilStuck(const Layout& layout, int micro_batches, int visits) {
  const int last = static_cast<int>(layout.segments.size()) - 1;
  std::vector<VisitOrder> orders;
  std::vector<Visit> next;
  for (int rank = 0; rank < layout.ranks; ++rank) {
    orders.emplace_back(layout, rank, micro_batches);
    next.push_back(orders.back().Next());
  }
  // By segment: the micro-batches that have come, in order.
  std::map<int, std::deque<int>> came;
  for (int m = 0; m < micro_batches; ++m) came[0].push_back(m);
  int made = 0;
  for (bool moved = true; moved && made < visits;) {
    moved = false;
    for (int rank = 0; rank < layout.ranks; ++rank) {
      Visit& visit = next[static_cast<size_t>(rank)];
      std::deque<int>& here = came[visit.segment];
      if (here.empty()) continue;
      EXPECT_EQ(here.front(), visit.micro_batch);
      here.pop_front();
      // From the end a micro-batch begins its next call.
      const int to = visit.segment == last ? 0 : visit.segment + 1;
      came[to].push_back(visit.micro_batch);
      visit = orders[static_cast<size_t>(rank)].Next();
      ++made;
      moved = true;
    }
  }
  return made;
}

TEST(VisitOrderTest, NoRankWaitsForEver) {
  for (int ranks = 2; ranks <= 8; ++ranks) {
    const int visits = 200 * ranks;
    EXPECT_GE(PlayUntilStuck(FoldedPieces(ranks), MicroBatches(ranks), visits),
              visits)
        << ranks;
  }
}

TEST(CheckLayoutTest, RefusesWhatNoPipelineIs) {
  EXPECT_TRUE(CheckLayout(FoldedPieces(3), 5).ok());
  EXPECT_FALSE(CheckLayout(FoldedPieces(3), 6).ok());

  Layout gap = FoldedPieces(3);
  gap.segments[1].begin = 2;
  EXPECT_FALSE(CheckLayout(gap, 5).ok());

  Layout elsewhere = FoldedPieces(3);
  elsewhere.segments.back().rank = 1;
  EXPECT_FALSE(CheckLayout(elsewhere, 5).ok());

  Layout idle = FoldedPieces(3);
  idle.ranks = 4;
  EXPECT_FALSE(CheckLayout(idle, 5).ok());
}

}  // namespace
}  // namespace tessera::pipeline
