#include "worker/model/byte_pairs.h"

#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Ranks = std::map<std::pair<std::string, std::string>, int32_t>;
using Symbols = std::vector<std::string>;

// Merges by `ranks` and counts how often one was asked for.
Symbols Merge(const Ranks& ranks, Symbols symbols, int64_t& asked) {
  return MergePairs(
      std::move(symbols),
      [&](std::string_view left,
          std::string_view right) -> std::optional<int32_t> {
        ++asked;
        const auto rank = ranks.find({std::string(left), std::string(right)});
        if (rank == ranks.end()) return std::nullopt;
        return rank->second;
      });
}

Symbols Merge(const Ranks& ranks, Symbols symbols) {
  int64_t asked = 0;
  return Merge(ranks, std::move(symbols), asked);
}

// The definition, in quadratic time: look for the best pair, join it, repeat.
Symbols MergeByDefinition(const Ranks& ranks, Symbols symbols) {
  while (true) {
    auto best = ranks.end();
    size_t place = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto rank = ranks.find({symbols[i], symbols[i + 1]});
      if (rank == ranks.end()) continue;
      if (best == ranks.end() || rank->second < best->second) {
        best = rank;
        place = i;
      }
    }
    if (best == ranks.end()) return symbols;
    symbols[place] += symbols[place + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

// The example of Sennrich et al. 2016, section 3.2: what is learned from
// "low lowest newer wider" joins "lower" to "low" and "er".
TEST(BytePairsTest, JoinsAsThePaperDoes) {
  const Ranks ranks = {{{"r", "</w>"}, 0},
                       {{"l", "o"}, 1},
                       {{"lo", "w"}, 2},
                       {{"e", "r</w>"}, 3}};

  EXPECT_THAT(Merge(ranks, {"l", "o", "w", "e", "r", "</w>"}),
              ElementsAre("low", "er</w>"));
}

TEST(BytePairsTest, TheLowerRankWinsOverThePlace) {
  const Ranks ranks = {{{"b", "c"}, 0}, {{"a", "b"}, 1}};

  EXPECT_THAT(Merge(ranks, {"a", "b", "c"}), ElementsAre("a", "bc"));
}

TEST(BytePairsTest, OfEqualPairsTheLeftmostIsJoined) {
  const Ranks ranks = {{{"a", "a"}, 0}};

  EXPECT_THAT(Merge(ranks, {"a", "a", "a"}), ElementsAre("aa", "a"));
}

TEST(BytePairsTest, NothingAndOneSymbolStay) {
  EXPECT_THAT(Merge({}, {}), IsEmpty());
  EXPECT_THAT(Merge({}, {"a"}), ElementsAre("a"));
}

TEST(BytePairsTest, EqualsTheDefinitionForRandomWordsAndRanks) {
  std::mt19937 random(1);
  const auto below = [&](size_t limit) { return random() % limit; };
  for (int round = 0; round < 500; ++round) {
    Symbols known = {"a", "b", "c"};
    Ranks ranks;
    for (int32_t rank = 0; rank < 12; ++rank) {
      const std::string left = known[below(known.size())];
      const std::string right = known[below(known.size())];
      ranks.emplace(std::pair(left, right), static_cast<int32_t>(below(12)));
      known.push_back(left + right);
    }
    Symbols word;
    for (size_t i = below(30); i > 0; --i) word.push_back(known[below(3)]);

    EXPECT_EQ(Merge(ranks, word), MergeByDefinition(ranks, word));
  }
}

// A prompt may be one word of 65536 letters; the definition would look four
// thousand million pairs up.
TEST(BytePairsTest, AsksForFewRanksOfALongWord) {
  const Ranks ranks = {
      {{"a", "a"}, 0}, {{"aa", "aa"}, 1}, {{"aaaa", "aaaa"}, 2}};
  int64_t asked = 0;

  const Symbols merged = Merge(ranks, Symbols(65536, "a"), asked);

  EXPECT_EQ(merged.size(), 65536 / 8);
  EXPECT_LT(asked, 3 * 65536);
}

}  // namespace
}  // namespace tessera::model
