// The tokenizer's rules on vocabularies small enough to follow by hand.
#include "worker/model/clip_tokenizer.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/text/byte_vocabulary.h"

namespace tessera::model {
namespace {

using tessera::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// Returns the id of a printable ASCII byte inside a word, or at its end.
int32_t In(char byte) { return byte - '!'; }
int32_t End(char byte) { return In(byte) + kWordEndIds; }

// Makes a tokenizer of `length` ids with these merges, a line each, whose
// results take the ids from 514 on.
ClipTokenizer Make(
    const std::vector<std::pair<std::string, std::string>>& merges,
    int64_t length, const std::string& pad = "<|endoftext|>") {
  nlohmann::json vocabulary = ByteVocabulary();
  std::string lines = "#version: 0.2\n";
  int32_t id = kEndId + 1;
  for (const auto& [left, right] : merges) {
    lines += left + " " + right + "\n";
    if (!vocabulary.contains(left + right)) vocabulary[left + right] = id++;
  }
  auto tokenizer = ClipTokenizer::Parse(vocabulary.dump(), lines, pad, length);
  EXPECT_THAT(tokenizer, IsOk());
  return *std::move(tokenizer);
}

TEST(ClipTokenizerTest, EmptyTextIsStartEndAndPadding) {
  EXPECT_THAT(Make({}, 4).Encode(""),
              ElementsAre(kStartId, kEndId, kEndId, kEndId));
  EXPECT_THAT(Make({}, 4, "!").Encode(" \n"),
              ElementsAre(kStartId, kEndId, 0, 0));
}

TEST(ClipTokenizerTest, BytesWithoutMergesStandAlone) {
  EXPECT_THAT(Make({}, 7).Encode("ab c"),
              ElementsAre(kStartId, In('a'), End('b'), End('c'), kEndId, kEndId,
                          kEndId));
}

TEST(ClipTokenizerTest, EveryByteOfALetterIsASymbol) {
  // U+00E9 is C3 A9; both bytes stand for characters of their own. 94 ASCII
  // characters come first, then A1 to AC, then AE on.
  EXPECT_THAT(Make({}, 4).Encode("\xC3\xA9"),
              ElementsAre(kStartId, 94 + 12 + (0xC3 - 0xAE),
                          94 + (0xA9 - 0xA1) + kWordEndIds, kEndId));
}

TEST(ClipTokenizerTest, UnprintableBytesTakeTheirPlaceBehindTheOthers) {
  // NUL is the first of the 68 unprintable bytes, 0x1F the 32nd, DEL the 34th.
  EXPECT_THAT(
      Make({}, 5).Encode(std::string("\0\x1F\x7F", 3)),
      ElementsAre(kStartId, 188, 188 + 31, 188 + 33 + kWordEndIds, kEndId));
}

TEST(ClipTokenizerTest, PairOfTheEarliestLineIsMergedFirst) {
  const auto early = Make({{"b", "c</w>"}, {"a", "b"}}, 4);
  const auto late = Make({{"a", "b"}, {"b", "c</w>"}}, 4);

  EXPECT_THAT(early.Encode("abc"), ElementsAre(kStartId, In('a'), 514, kEndId));
  EXPECT_THAT(late.Encode("abc"), ElementsAre(kStartId, 514, End('c'), kEndId));
}

TEST(ClipTokenizerTest, MergedPairsMergeOn) {
  const auto tokenizer =
      Make({{"a", "b"}, {"c", "d</w>"}, {"ab", "cd</w>"}}, 3);

  EXPECT_THAT(tokenizer.Encode("abcd"), ElementsAre(kStartId, 516, kEndId));
}

TEST(ClipTokenizerTest, LeftmostOfEqualPairsIsMergedFirst) {
  EXPECT_THAT(Make({{"a", "a"}}, 4).Encode("aaa"),
              ElementsAre(kStartId, 514, End('a'), kEndId));
  EXPECT_THAT(Make({{"a", "a"}}, 5).Encode("aaaa"),
              ElementsAre(kStartId, 514, In('a'), End('a'), kEndId));
}

TEST(ClipTokenizerTest, FirstOfTwoEqualLinesRules) {
  const auto tokenizer = Make({{"a", "b"}, {"b", "c</w>"}, {"a", "b"}}, 4);

  EXPECT_THAT(tokenizer.Encode("abc"),
              ElementsAre(kStartId, 514, End('c'), kEndId));
}

TEST(ClipTokenizerTest, SymbolsOfDifferentWordsNeverMerge) {
  EXPECT_THAT(Make({{"a", "b</w>"}}, 4).Encode("a b"),
              ElementsAre(kStartId, End('a'), End('b'), kEndId));
}

TEST(ClipTokenizerTest, CaseAndCompositionDoNotMatter) {
  const auto tokenizer = Make({}, 12);

  EXPECT_EQ(tokenizer.Encode("CAF\xC3\x89"), tokenizer.Encode("cafe\xCC\x81"));
  EXPECT_EQ(tokenizer.Encode("A  B\tC"), tokenizer.Encode("a b c"));
}

TEST(ClipTokenizerTest, WrongUtf8IsReadAsReplacementCharacters) {
  const auto tokenizer = Make({}, 12);

  EXPECT_EQ(tokenizer.Encode("a\xFF"), tokenizer.Encode("a\xEF\xBF\xBD"));
  EXPECT_EQ(tokenizer.Encode("\xED\xA0\x80"),
            tokenizer.Encode("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
}

TEST(ClipTokenizerTest, SpelledOutSpecialTokensAreTokens) {
  EXPECT_THAT(
      Make({}, 6).Encode("a<|startoftext|>b<|endoftext|>"),
      ElementsAre(kStartId, End('a'), kStartId, End('b'), kEndId, kEndId));
}

TEST(ClipTokenizerTest, SpecialTokenPartsTheTextBeforeItIsComposed) {
  EXPECT_THAT(
      Make({}, 6, "!").Encode("e!\xCC\x81"),
      ElementsAre(kStartId, End('e'), 0,
                  // U+0301 is CC 81; 81 is the 36th unprintable byte.
                  94 + 12 + (0xCC - 0xAE), 188 + 35 + kWordEndIds, kEndId));
}

TEST(ClipTokenizerTest, PadTokenInTheTextIsTheTokenItself) {
  EXPECT_THAT(Make({}, 7, "!").Encode("a?!!"),
              ElementsAre(kStartId, End('a'), End('?'), 0, 0, kEndId, 0));
  // With another token that pads it is text as any other.
  EXPECT_THAT(Make({}, 7).Encode("a?!!"),
              ElementsAre(kStartId, End('a'), In('?'), In('!'), End('!'),
                          kEndId, kEndId));
}

TEST(ClipTokenizerTest, LongestOfTheSpecialTokensAtAPlaceIsTaken) {
  EXPECT_THAT(Make({}, 6, "<").Encode("<|endoftext|><"),
              ElementsAre(kStartId, kEndId, In('<'), kEndId, In('<'), In('<')));
}

TEST(ClipTokenizerTest, TextThatJustFitsIsNotCut) {
  EXPECT_THAT(Make({}, 5).Encode("a b c"),
              ElementsAre(kStartId, End('a'), End('b'), End('c'), kEndId));
}

TEST(ClipTokenizerTest, CutTextKeepsTheEndToken) {
  EXPECT_THAT(Make({}, 5).Encode("a b c d e"),
              ElementsAre(kStartId, End('a'), End('b'), End('c'), kEndId));
  EXPECT_THAT(Make({}, 4).Encode("abcdefgh"),
              ElementsAre(kStartId, In('a'), In('b'), kEndId));
  EXPECT_THAT(Make({}, 2).Encode("a"), ElementsAre(kStartId, kEndId));
}

TEST(ClipTokenizerTest, EveryTextHasExactlyTheLength) {
  const auto tokenizer = Make({}, 7);

  for (size_t size = 0; size < 40; ++size) {
    EXPECT_THAT(tokenizer.Encode(std::string(size, '.')), SizeIs(7)) << size;
    EXPECT_THAT(tokenizer.Encode(std::string(size, '\x80')), SizeIs(7)) << size;
  }
}

TEST(ClipTokenizerTest, TextOfManySpecialTokensIsCut) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "<|startoftext|>";

  EXPECT_THAT(Make({}, 4).Encode(text),
              ElementsAre(kStartId, kStartId, kStartId, kEndId));
  EXPECT_THAT(Make({}, 4, "!").Encode(std::string(1 << 20, '!')),
              ElementsAre(kStartId, 0, 0, kEndId));
}

}  // namespace
}  // namespace tessera::model
