#include "worker/model/byte_pairs.h"

#include <functional>
#include <queue>
#include <tuple>
#include <utility>

namespace tessera::model {
namespace {

// Two neighbours that can be joined. Stale once either has grown or is gone.
struct Candidate {
  int32_t rank = 0;
  size_t left = 0;
  size_t right = 0;
  size_t bytes = 0;  // of both when the candidate was found

  // Orders by rank, then from left to right.
  bool operator>(const Candidate& other) const {
    return std::tie(rank, left) > std::tie(other.rank, other.left);
  }
};

// The symbols of a word as a list whose neighbours are joined; a symbol that
// was joined to its left one is empty.
class SymbolList {
 public:
  SymbolList(std::vector<std::string> symbols, PairRank rank)
      : symbols_(std::move(symbols)), rank_(rank) {
    for (size_t i = 0; i < symbols_.size(); ++i) {
      previous_.push_back(i - 1);
      next_.push_back(i + 1);
    }
    for (size_t i = 0; i + 1 < symbols_.size(); ++i) Consider(i, i + 1);
  }

  // Joins pairs until no candidate is left.
  void Merge() {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      if (IsFresh(best)) Join(best);
    }
  }

  // Returns the symbols that are left.
  std::vector<std::string> Take() {
    std::erase_if(symbols_, [](const std::string& s) { return s.empty(); });
    return std::move(symbols_);
  }

 private:
  // Remembers a pair of neighbours if it can be joined.
  void Consider(size_t left, size_t right) {
    const std::string &a = symbols_[left], &b = symbols_[right];
    const std::optional<int32_t> rank = rank_(a, b);
    if (!rank.has_value()) return;
    candidates_.push({*rank, left, right, a.size() + b.size()});
  }

  // Tells whether the pair is as it was found: symbols only grow, or vanish.
  bool IsFresh(const Candidate& pair) const {
    const std::string &a = symbols_[pair.left], &b = symbols_[pair.right];
    return !a.empty() && !b.empty() && a.size() + b.size() == pair.bytes;
  }

  // Joins a pair and looks at the neighbours that the result has.
  void Join(const Candidate& pair) {
    const size_t left = pair.left, right = pair.right;
    symbols_[left] += std::exchange(symbols_[right], std::string());
    const size_t after = next_[left] = next_[right];
    if (after < symbols_.size()) {
      previous_[after] = left;
      Consider(left, after);
    }
    if (left > 0) Consider(previous_[left], left);
  }

  std::vector<std::string> symbols_;
  const PairRank rank_;
  std::vector<size_t> previous_;  // of the first symbol: no index
  std::vector<size_t> next_;      // of the last symbol: their number
  std::priority_queue<Candidate, std::vector<Candidate>,
                      std::greater<Candidate>>
      candidates_;
};

}  // namespace

std::vector<std::string> MergePairs(std::vector<std::string> symbols,
                                    PairRank rank) {
  SymbolList list(std::move(symbols), rank);
  list.Merge();
  return list.Take();
}

}  // namespace tessera::model
