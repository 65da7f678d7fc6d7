// What the ranks of a cut UNet cost.
#ifndef TESSERA_COORDINATOR_PIPELINE_CUT_COSTS_H_
#define TESSERA_COORDINATOR_PIPELINE_CUT_COSTS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "coordinator/pipeline/planner.h"

namespace tessera::coordinator {

// One rank's load.
struct RankCost {
  double seconds = 0;
  double transfer_seconds = 0;
  int64_t weight_bytes = 0;
  int64_t memory_bytes = 0;
  int64_t bytes = 0;  // received and sent
  bool fits = true;   // the device's memory

  double total() const { return seconds + transfer_seconds; }
};

// Answers what a rank costs that owns certain pieces, by prefix sums. Borrows
// the request. Immutable.
class CutCosts {
 public:
  using Cut = std::pair<size_t, size_t>;  // pieces before, and from

  // `order` says which device has which rank.
  CutCosts(const PlanRequest& request, const std::vector<size_t>& order);

  size_t pieces() const { return n_; }

  // Whether the skips saved before piece `i` are those taken from `j` on.
  bool SkipsStay(size_t i, size_t j) const;

  // Costs of a rank that owns the pieces between two cuts on both ways, of the
  // one that owns all within a cut, and of one that owns [begin, end) where
  // skips are sent.
  RankCost Folded(size_t rank, const Cut& outer, const Cut& inner) const;
  RankCost Innermost(size_t rank, const Cut& cut) const;
  RankCost Linear(size_t rank, size_t begin, size_t end) const;

  // Costs of a rank of a finished plan.
  RankCost OfRank(const std::vector<PlanSegment>& segments, int rank) const;

  // Counts what all ranks send for one sample and call.
  void CountBytes(const std::vector<PlanSegment>& segments, int64_t& hidden,
                  int64_t& skips) const;

 private:
  // Where a skip is saved and taken, and its size.
  struct Skip {
    size_t saved = 0;
    size_t taken = 0;
    int64_t bytes = 0;
  };

  int64_t Border(size_t piece) const;
  void AddPieces(size_t begin, size_t end, RankCost& cost) const;
  RankCost Finish(size_t rank, RankCost cost) const;

  const PlanRequest& request_;
  const std::vector<size_t>& order_;
  const size_t n_;
  std::vector<double> seconds_;   // of the pieces before
  std::vector<int64_t> weights_;  // likewise
  std::vector<Skip> skips_;       // by number
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_PIPELINE_CUT_COSTS_H_
