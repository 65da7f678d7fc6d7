#include "coordinator/pipeline/planner.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "coordinator/pipeline/cut_costs.h"

namespace tessera::coordinator {
namespace {

// More stages than that gain nothing on any UNet that is known.
constexpr size_t kMostStages = 8;
constexpr double kImpossible = std::numeric_limits<double>::infinity();

// The best way to reach a state of the search.
struct Reached {
  double slowest = kImpossible;  // of the stages so far
  int64_t bytes = 0;             // that those receive and send
  // The state before.
  size_t down = 0;
  size_t up = 0;

  bool operator<(const Reached& other) const {
    return std::tie(slowest, bytes) < std::tie(other.slowest, other.bytes);
  }
};

// Extends a state by a stage; keeps the better of both in `best`.
void Relax(const Reached& before, const RankCost& cost, size_t down, size_t up,
           Reached& best) {
  if (before.slowest == kImpossible || !cost.fits) return;
  const Reached next{std::max(before.slowest, cost.total()),
                     before.bytes + cost.bytes, down, up};
  if (next < best) best = next;
}

// Turns the ranges of the ranks into segments in the order of running.
std::vector<PlanSegment> Fold(
    const std::vector<std::pair<size_t, size_t>>& cuts) {
  // `cuts[k]` is where the ranks above k end on the way down and begin again
  // on the way up.
  const int ranks = static_cast<int>(cuts.size());
  std::vector<PlanSegment> segments;
  for (int rank = 0; rank + 1 < ranks; ++rank) {
    segments.push_back({rank, cuts[rank].first, cuts[rank + 1].first});
  }
  segments.push_back({ranks - 1, cuts.back().first, cuts.back().second});
  for (int rank = ranks - 2; rank >= 0; --rank) {
    segments.push_back({rank, cuts[rank + 1].second, cuts[rank].second});
  }
  return segments;
}

// Finds the best folded cuts for devices in the order of the ranks. A state is
// (rank, i, j): the ranks above own the pieces before i and from j on.
class FoldedSearch {
 public:
  FoldedSearch(const CutCosts& costs, size_t ranks)
      : costs_(costs), ranks_(ranks), n_(costs.pieces()) {
    for (size_t i = 0; i <= n_; ++i) {
      for (size_t j = i; j <= n_; ++j) {
        if (costs_.SkipsStay(i, j)) states_.push_back({i, j});
      }
    }
  }

  // Returns the cuts, outermost first, and what they come to.
  std::pair<std::vector<std::pair<size_t, size_t>>, Reached> Find() const {
    std::vector<std::vector<Reached>> best(
        ranks_, std::vector<Reached>(states_.size()));
    for (size_t s = 0; s < states_.size(); ++s) {
      if (states_[s] == std::pair<size_t, size_t>{0, n_}) {
        best[0][s] = {.slowest = 0};
      }
    }
    for (size_t rank = 0; rank + 1 < ranks_; ++rank) {
      for (size_t from = 0; from < states_.size(); ++from) {
        if (best[rank][from].slowest == kImpossible) continue;
        for (size_t to = 0; to < states_.size(); ++to) {
          if (!Inside(states_[to], states_[from], rank)) continue;
          Relax(best[rank][from],
                costs_.Folded(rank, states_[from], states_[to]),
                states_[from].first, states_[from].second, best[rank + 1][to]);
        }
      }
    }
    return Finish(best);
  }

 private:
  using State = std::pair<size_t, size_t>;

  // Says whether a rank may own what lies between two states. Rank 0 has both
  // ends of the UNet.
  bool Inside(const State& to, const State& from, size_t rank) const {
    if (to.first < from.first || to.second > from.second || to == from) {
      return false;
    }
    return rank > 0 || (to.first > 0 && to.second < n_);
  }

  // Adds the last rank, which owns all that is left, and walks back.
  std::pair<std::vector<State>, Reached> Finish(
      const std::vector<std::vector<Reached>>& best) const {
    Reached last;
    for (size_t s = 0; s < states_.size(); ++s) {
      if (states_[s].first == states_[s].second) continue;
      Relax(best[ranks_ - 1][s], costs_.Innermost(ranks_ - 1, states_[s]),
            states_[s].first, states_[s].second, last);
    }
    std::vector<State> cuts;
    if (last.slowest == kImpossible) return {cuts, last};
    State at{last.down, last.up};
    for (size_t rank = ranks_; rank-- > 0;) {
      cuts.push_back(at);
      if (rank == 0) break;
      const auto found = std::find(states_.begin(), states_.end(), at);
      const Reached& reached =
          best[rank][static_cast<size_t>(found - states_.begin())];
      at = {reached.down, reached.up};
    }
    std::reverse(cuts.begin(), cuts.end());
    return {cuts, last};
  }

  const CutCosts& costs_;
  const size_t ranks_;
  const size_t n_;
  std::vector<State> states_;
};

// Finds the best cuts between ranks that own one range each; returns where the
// ranges begin.
std::pair<std::vector<size_t>, Reached> FindLinear(const CutCosts& costs,
                                                   size_t ranks) {
  const size_t n = costs.pieces();
  std::vector<std::vector<Reached>> best(ranks + 1,
                                         std::vector<Reached>(n + 1));
  best[0][0] = {.slowest = 0};
  for (size_t rank = 0; rank < ranks; ++rank) {
    for (size_t begin = 0; begin < n; ++begin) {
      for (size_t end = begin + 1; end <= n; ++end) {
        Relax(best[rank][begin], costs.Linear(rank, begin, end), begin, end,
              best[rank + 1][end]);
      }
    }
  }
  std::vector<size_t> begins;
  const Reached last = best[ranks][n];
  if (last.slowest == kImpossible) return {begins, last};
  size_t end = n;
  for (size_t rank = ranks; rank > 0; --rank) {
    end = best[rank][end].down;
    begins.push_back(end);
  }
  std::reverse(begins.begin(), begins.end());
  return {begins, last};
}

// A plan and by what plans are compared.
struct Candidate {
  Plan plan;
  Reached reached;
};

// Fills in what the ranks cost.
void Describe(const CutCosts& costs, const std::vector<size_t>& order,
              Plan& plan) {
  double sum = 0;
  double slowest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const RankCost cost = costs.OfRank(plan.segments, static_cast<int>(rank));
    plan.stages.push_back({order[rank], cost.seconds, cost.transfer_seconds,
                           cost.weight_bytes, cost.memory_bytes});
    sum += cost.seconds;
    slowest = std::max(slowest, cost.total());
  }
  costs.CountBytes(plan.segments, plan.hidden_bytes, plan.skip_bytes);
  plan.share_of_ideal =
      slowest > 0 ? sum / static_cast<double>(order.size()) / slowest : 1;
}

// Plans for devices in one order.
void Consider(const PlanRequest& request, const std::vector<size_t>& order,
              std::optional<Candidate>& best) {
  const CutCosts costs(request, order);
  const auto keep = [&](Candidate candidate) {
    if (candidate.reached.slowest == kImpossible) return;
    if (best.has_value() && !(candidate.reached < best->reached)) return;
    Describe(costs, order, candidate.plan);
    best = std::move(candidate);
  };
  const size_t ranks = order.size();
  if (request.placement != Placement::kLinear) {
    auto [cuts, reached] = FoldedSearch(costs, ranks).Find();
    Candidate folded{{.placement = Placement::kFolded}, reached};
    if (!cuts.empty()) {
      folded.plan.segments = Fold(cuts);
    }
    keep(std::move(folded));
  }
  if (request.placement != Placement::kFolded && ranks > 1) {
    const auto [begins, reached] = FindLinear(costs, ranks);
    Candidate linear{{.placement = Placement::kLinear}, reached};
    for (size_t rank = 0; rank < begins.size(); ++rank) {
      const size_t end =
          rank + 1 < begins.size() ? begins[rank + 1] : costs.pieces();
      linear.plan.segments.push_back(
          {static_cast<int>(rank), begins[rank], end});
    }
    // Brings the prediction back to the rank that has the latents.
    linear.plan.segments.push_back({0, costs.pieces(), costs.pieces()});
    keep(std::move(linear));
  }
}

// Says what there is too little of.
absl::Status NothingFits(const PlanRequest& request) {
  const size_t stages = request.devices.size();
  if (stages > request.pieces.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("no plan: more stages than pieces of the UNet: ", stages,
                     ", it has ", request.pieces.size()));
  }
  int64_t needed = 0;
  for (const PieceCost& piece : request.pieces) needed += piece.weight_bytes;
  int64_t memory = 0;
  bool bounded = true;
  for (const StageDevice& device : request.devices) {
    bounded = bounded && device.memory_bytes > 0;
    memory += device.memory_bytes;
  }
  if (!bounded) {
    return absl::FailedPreconditionError(absl::StrCat(
        "no plan: the UNet cannot be cut into so many stages: ", stages));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no plan: the UNet does not fit the devices of ", stages,
                   " stages: its weights take ", needed,
                   " bytes, the devices have ", memory));
}

}  // namespace

absl::StatusOr<Plan> MakePlan(const PlanRequest& request) {
  if (request.devices.empty() || request.devices.size() > kMostStages) {
    return absl::InvalidArgumentError(absl::StrCat("stages: must be 1 to ",
                                                   kMostStages, ", got ",
                                                   request.devices.size()));
  }
  if (request.pieces.empty()) {
    return absl::InvalidArgumentError("the cost table has no pieces");
  }
  std::vector<size_t> order(request.devices.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto before = [&](size_t a, size_t b) {
    const StageDevice& x = request.devices[a];
    const StageDevice& y = request.devices[b];
    return std::tie(x.speed, x.memory_bytes) <
           std::tie(y.speed, y.memory_bytes);
  };
  // Begins with the least order; equal devices are not exchanged.
  std::stable_sort(order.begin(), order.end(), before);
  std::optional<Candidate> best;
  do {
    Consider(request, order, best);
  } while (std::next_permutation(order.begin(), order.end(), before));
  if (!best.has_value()) return NothingFits(request);
  return std::move(best->plan);
}

}  // namespace tessera::coordinator
