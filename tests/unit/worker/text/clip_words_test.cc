#include "worker/model/clip_words.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ClipWordsTest, EmptyAndBlankTextsHaveNoWords) {
  EXPECT_THAT(SplitClipWords(U""), IsEmpty());
  EXPECT_THAT(SplitClipWords(U" \t\n\u3000\u2028"), IsEmpty());
}

TEST(ClipWordsTest, WhiteSpaceSeparatesAndIsDropped) {
  EXPECT_THAT(SplitClipWords(U"  a photo\u00A0of\r\na\tcat "),
              ElementsAre(U"a", U"photo", U"of", U"a", U"cat"));
}

TEST(ClipWordsTest, LettersNumbersAndSymbolsPart) {
  EXPECT_THAT(SplitClipWords(U"cat2dog!"),
              ElementsAre(U"cat", U"2", U"dog", U"!"));
  EXPECT_THAT(SplitClipWords(U"(cat:1.2)"),
              ElementsAre(U"(", U"cat", U":", U"1", U".", U"2", U")"));
}

TEST(ClipWordsTest, NumbersStandAlone) {
  EXPECT_THAT(SplitClipWords(U"1234"), ElementsAre(U"1", U"2", U"3", U"4"));
  // Digits of other scripts, a fraction, a Roman and a circled numeral.
  EXPECT_THAT(
      SplitClipWords(U"\u0663\u096A\u00BD\u2167\u2460"),
      ElementsAre(U"\u0663", U"\u096A", U"\u00BD", U"\u2167", U"\u2460"));
}

TEST(ClipWordsTest, LettersOfAllScriptsStayTogether) {
  EXPECT_THAT(SplitClipWords(U"a\u00E9\u03C3\u0436\u05D0\u732B\u02B0"),
              ElementsAre(U"a\u00E9\u03C3\u0436\u05D0\u732B\u02B0"));
}

TEST(ClipWordsTest, SymbolsRunTogether) {
  EXPECT_THAT(SplitClipWords(U"?!...\u20AC\u2190\U0001F431"),
              ElementsAre(U"?!...\u20AC\u2190\U0001F431"));
}

TEST(ClipWordsTest, CombiningMarksAndJoinersAreSymbols) {
  EXPECT_THAT(SplitClipWords(U"x\u0302y"), ElementsAre(U"x", U"\u0302", U"y"));
  EXPECT_THAT(SplitClipWords(U"a\u200Db"), ElementsAre(U"a", U"\u200D", U"b"));
}

TEST(ClipWordsTest, ControlCharactersAreSymbols) {
  const std::u32string text = {U'a', U'\0', U'\x1F', U'b'};

  EXPECT_THAT(SplitClipWords(text),
              ElementsAre(U"a", std::u32string({U'\0', U'\x1F'}), U"b"));
}

TEST(ClipWordsTest, EveryContractionIsAWord) {
  EXPECT_THAT(SplitClipWords(U"it's don't we're i've i'm you'll he'd"),
              ElementsAre(U"it", U"'s", U"don", U"'t", U"we", U"'re", U"i",
                          U"'ve", U"i", U"'m", U"you", U"'ll", U"he", U"'d"));
}

TEST(ClipWordsTest, ContractionCutsTheWordThatItStarts) {
  // The pattern prefers 's to a longer match.
  EXPECT_THAT(SplitClipWords(U"'store"), ElementsAre(U"'s", U"tore"));
  EXPECT_THAT(SplitClipWords(U"'llama"), ElementsAre(U"'ll", U"ama"));
  EXPECT_THAT(SplitClipWords(U"'dad"), ElementsAre(U"'d", U"ad"));
}

TEST(ClipWordsTest, ApostropheThatStartsNoContractionIsASymbol) {
  EXPECT_THAT(SplitClipWords(U"o'clock"), ElementsAre(U"o", U"'", U"clock"));
  EXPECT_THAT(SplitClipWords(U"'l 'r 'v"),
              ElementsAre(U"'", U"l", U"'", U"r", U"'", U"v"));
}

TEST(ClipWordsTest, ApostropheWithinSymbolsStartsNoContraction) {
  EXPECT_THAT(SplitClipWords(U"!'s"), ElementsAre(U"!'", U"s"));
  EXPECT_THAT(SplitClipWords(U"''s"), ElementsAre(U"''", U"s"));
}

TEST(ClipWordsTest, OtherApostrophesStartNoContraction) {
  EXPECT_THAT(SplitClipWords(U"it\u2019s"),
              ElementsAre(U"it", U"\u2019", U"s"));
  // The modifier letter is a letter.
  EXPECT_THAT(SplitClipWords(U"it\u02BCs"), ElementsAre(U"it\u02BCs"));
}

TEST(ClipWordsTest, SpecialTokensEndARunOfSymbols) {
  // Reached by "<|StartOfText|>": the pattern runs after lower-casing.
  EXPECT_THAT(SplitClipWords(U"a<|startoftext|>b"),
              ElementsAre(U"a", U"<|", U"startoftext", U"|>", U"b"));
  EXPECT_THAT(SplitClipWords(U"<|endoftext|><|endoftext|>!"),
              ElementsAre(U"<|", U"endoftext", U"|>", U"<|", U"endoftext",
                          U"|>", U"!"));
}

TEST(ClipWordsTest, SpecialTokenWithinSymbolsIsText) {
  EXPECT_THAT(SplitClipWords(U"!<|endoftext|>"),
              ElementsAre(U"!<|", U"endoftext", U"|>"));
  EXPECT_THAT(SplitClipWords(U"!<|endoftext|><|endoftext|>"),
              ElementsAre(U"!<|", U"endoftext", U"|><|", U"endoftext", U"|>"));
  EXPECT_THAT(SplitClipWords(U"<|startoftext"),
              ElementsAre(U"<|", U"startoftext"));
  EXPECT_THAT(SplitClipWords(U"<|starboftext|>!"),
              ElementsAre(U"<|", U"starboftext", U"|>!"));
}

}  // namespace
}  // namespace tessera::model
