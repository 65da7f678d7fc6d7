#include "client/nearest_word.h"

#include <algorithm>
#include <numeric>

namespace tessera::client {
namespace {

// Nobody mistypes more than a third of a word.
constexpr int kLettersPerMistake = 3;
// A longer word is no mistyped flag; bounds the quadratic comparison.
constexpr size_t kLongestCompared = 64;

}  // namespace

int EditDistance(std::string_view a, std::string_view b) {
  // One row of the table is enough: each cell needs its left, upper and upper
  // left neighbour, and `diagonal` keeps the last.
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string NearestWord(std::string_view word,
                        const std::vector<std::string>& known) {
  if (word.size() > kLongestCompared) return "";
  std::string nearest;
  // One mistake is forgiven in any word, more in longer ones.
  int best = 1 + static_cast<int>(word.size()) / kLettersPerMistake;
  for (const std::string& candidate : known) {
    const int distance = EditDistance(word, candidate);
    // Of equally near words the first wins, so that the answer is stable.
    if (distance <= best && (nearest.empty() || distance < best)) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace tessera::client
