#include "worker/pipeline/simulator.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <tuple>

#include "common/check.h"

namespace tessera::pipeline {
namespace {

// A micro-batch that has come, or will come, to a segment.
struct Arrival {
  double time = 0;
  int segment = 0;
  int number = 0;  // in the order of entering
  int slot = 0;    // which of those in flight
  int call = 0;
};

// Plays the visits in the order of their beginnings, so that whatever a visit
// causes lies in the future of all that was played.
class Player {
 public:
  explicit Player(const Simulation& simulation)
      : simulation_(simulation),
        free_(static_cast<size_t>(simulation.layout.ranks), 0),
        waiting_(static_cast<size_t>(simulation.layout.ranks)) {
    if (simulation.priority == Priority::kFixed) {
      CHECK(simulation.total % simulation.micro_batches == 0);
      for (int rank = 0; rank < simulation.layout.ranks; ++rank) {
        orders_.emplace_back(simulation.layout, rank, simulation.micro_batches);
        next_.push_back(orders_.back().Next());
      }
    }
  }

  double Play() {
    for (int slot = 0; slot < simulation_.micro_batches; ++slot) {
      Enter(slot, 0);
    }
    double end = 0;
    while (const std::optional<Choice> choice = Earliest()) {
      end = std::max(end, Make(*choice));
    }
    return end;
  }

 private:
  // The next visit of a rank.
  struct Choice {
    double begin;
    int rank;
    size_t index;  // among those that wait there
  };

  int RankOf(int segment) const {
    return simulation_.layout.segments[static_cast<size_t>(segment)].rank;
  }

  void Enter(int slot, double time) {
    if (entered_ == simulation_.total) return;
    waiting_[0].push_back({time, 0, entered_++, slot, 0});
  }

  // Says whether `a` goes before `b` when both wait.
  bool Before(const Arrival& a, const Arrival& b) const {
    switch (simulation_.priority) {
      case Priority::kUp:
        return std::tuple(-a.segment, a.time) < std::tuple(-b.segment, b.time);
      case Priority::kDown:
        return std::tuple(a.segment, a.time) < std::tuple(b.segment, b.time);
      default:
        return std::tuple(a.number, a.time) < std::tuple(b.number, b.time);
    }
  }

  // Says whether a fixed order lets an arrival be next at its rank.
  bool InTurn(int rank, const Arrival& arrival) const {
    if (simulation_.priority != Priority::kFixed) return true;
    const Visit& next = next_[static_cast<size_t>(rank)];
    return next.segment == arrival.segment && next.micro_batch == arrival.slot;
  }

  // Returns what a rank does next; nothing if nothing is on its way to it.
  std::optional<Choice> NextOf(int rank) const {
    const auto& here = waiting_[static_cast<size_t>(rank)];
    const double free = free_[static_cast<size_t>(rank)];
    double begin = -1;
    for (const Arrival& arrival : here) {
      if (!InTurn(rank, arrival)) continue;
      const double time = std::max(free, arrival.time);
      if (begin < 0 || time < begin) begin = time;
    }
    if (begin < 0) return std::nullopt;
    std::optional<size_t> best;
    for (size_t i = 0; i < here.size(); ++i) {
      if (here[i].time > begin || !InTurn(rank, here[i])) continue;
      if (!best || Before(here[i], here[*best])) best = i;
    }
    return Choice{begin, rank, *best};
  }

  std::optional<Choice> Earliest() const {
    std::optional<Choice> earliest;
    for (int rank = 0; rank < simulation_.layout.ranks; ++rank) {
      const std::optional<Choice> choice = NextOf(rank);
      if (!choice) continue;
      if (!earliest || choice->begin < earliest->begin) earliest = choice;
    }
    return earliest;
  }

  // Makes a visit and returns when it ends.
  double Make(const Choice& choice) {
    auto& here = waiting_[static_cast<size_t>(choice.rank)];
    Arrival arrival = here[choice.index];
    here.erase(here.begin() + static_cast<std::ptrdiff_t>(choice.index));
    const double end =
        choice.begin +
        simulation_.seconds[static_cast<size_t>(arrival.segment)];
    free_[static_cast<size_t>(choice.rank)] = end;
    if (simulation_.priority == Priority::kFixed) {
      const auto rank = static_cast<size_t>(choice.rank);
      next_[rank] = orders_[rank].Next();
    }
    const int last = static_cast<int>(simulation_.layout.segments.size()) - 1;
    if (arrival.segment == last && ++arrival.call == simulation_.calls) {
      Enter(arrival.slot, end);
      return end;
    }
    const int to = arrival.segment == last ? 0 : arrival.segment + 1;
    arrival.time = end;
    if (RankOf(to) != choice.rank) arrival.time += simulation_.hop_seconds;
    arrival.segment = to;
    waiting_[static_cast<size_t>(RankOf(to))].push_back(arrival);
    return end;
  }

  const Simulation& simulation_;
  std::vector<double> free_;                   // by rank
  std::vector<std::vector<Arrival>> waiting_;  // by rank
  std::vector<VisitOrder> orders_;             // by rank, of kFixed
  std::vector<Visit> next_;
  int entered_ = 0;
};

}  // namespace

double Simulate(const Simulation& simulation) {
  return Player(simulation).Play();
}

double Efficiency(const Simulation& simulation) {
  const double work = std::accumulate(simulation.seconds.begin(),
                                      simulation.seconds.end(), 0.0) *
                      simulation.total * simulation.calls;
  return work / simulation.layout.ranks / Simulate(simulation);
}

}  // namespace tessera::pipeline
