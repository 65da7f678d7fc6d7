#include "worker/model/unicode_text.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::model {
namespace {

using ::testing::IsEmpty;

// White_Space of PropList.txt in the Unicode character database, all of it.
const std::vector<char32_t> kWhiteSpace = {
    0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x20,   0x85,   0xA0,   0x1680,
    0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008,
    0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};

std::string Utf8(char32_t code_point) {
  std::string text;
  AppendUtf8(code_point, text);
  return text;
}

TEST(UnicodeTextTest, EncodesAtTheBordersOfEachLength) {
  EXPECT_EQ(Utf8(0), std::string(1, '\0'));
  EXPECT_EQ(Utf8(0x7F), "\x7F");
  EXPECT_EQ(Utf8(0x80), "\xC2\x80");
  EXPECT_EQ(Utf8(0x7FF), "\xDF\xBF");
  EXPECT_EQ(Utf8(0x800), "\xE0\xA0\x80");
  EXPECT_EQ(Utf8(0xD7FF), "\xED\x9F\xBF");
  EXPECT_EQ(Utf8(0xE000), "\xEE\x80\x80");
  EXPECT_EQ(Utf8(0xFFFF), "\xEF\xBF\xBF");
  EXPECT_EQ(Utf8(0x10000), "\xF0\x90\x80\x80");
  EXPECT_EQ(Utf8(0x10FFFF), "\xF4\x8F\xBF\xBF");
}

TEST(UnicodeTextTest, DecodesWhatItEncodes) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;  // surrogates have no UTF-8
    ASSERT_EQ(DecodeUtf8(Utf8(c)), std::u32string(1, c)) << std::hex << +c;
  }
}

TEST(UnicodeTextTest, DecodesWholeTexts) {
  EXPECT_THAT(DecodeUtf8(""), IsEmpty());
  EXPECT_EQ(DecodeUtf8("a\xC3\xA9\xE7\x8C\xAB\xF0\x9F\x90\xB1z"),
            U"a\u00E9\u732B\U0001F431z");
  EXPECT_EQ(DecodeUtf8(std::string("a\0b", 3)), std::u32string(U"a\0b", 3));
}

struct Invalid {
  std::string what;
  std::string bytes;
  std::u32string text;
};

class InvalidUtf8Test : public ::testing::TestWithParam<Invalid> {};

TEST_P(InvalidUtf8Test, EveryWrongByteBecomesAReplacement) {
  EXPECT_EQ(DecodeUtf8("a" + GetParam().bytes + "b"),
            U"a" + GetParam().text + U"b");
}

// Table 3-7 of the Unicode standard lists what is well-formed.
INSTANTIATE_TEST_SUITE_P(
    Sequences, InvalidUtf8Test,
    ::testing::Values(
        Invalid{"ContinuationAlone", "\x80", U"\uFFFD"},
        Invalid{"NeverAByte", "\xFF\xFE", U"\uFFFD\uFFFD"},
        Invalid{"OverlongSlash", "\xC0\xAF", U"\uFFFD\uFFFD"},
        Invalid{"OverlongInThree", "\xE0\x80\xAF", U"\uFFFD\uFFFD\uFFFD"},
        Invalid{"OverlongInFour", "\xF0\x80\x80\xAF",
                U"\uFFFD\uFFFD\uFFFD\uFFFD"},
        Invalid{"LowestSurrogate", "\xED\xA0\x80", U"\uFFFD\uFFFD\uFFFD"},
        Invalid{"HighestSurrogate", "\xED\xBF\xBF", U"\uFFFD\uFFFD\uFFFD"},
        Invalid{"BeyondUnicode", "\xF4\x90\x80\x80",
                U"\uFFFD\uFFFD\uFFFD\uFFFD"},
        Invalid{"CutShort", "\xE7\x8C", U"\uFFFD\uFFFD"},
        Invalid{"CutShortBeforeGoodText", "\xF0\x9F\x90\xC3\xA9",
                U"\uFFFD\uFFFD\uFFFD\u00E9"}),
    [](const auto& info) { return info.param.what; });

TEST(UnicodeTextTest, CutShortAtTheEndIsReplaced) {
  EXPECT_EQ(DecodeUtf8("a\xC3"), U"a\uFFFD");
  EXPECT_EQ(DecodeUtf8("\xF0\x9F\x90"), U"\uFFFD\uFFFD\uFFFD");
}

TEST(UnicodeTextTest, ComposesLettersAndMarks) {
  EXPECT_EQ(ComposeNfc(U"e\u0301"), U"\u00E9");
  EXPECT_EQ(ComposeNfc(U"A\u030A"), U"\u00C5");
  EXPECT_EQ(ComposeNfc(U"\u0418\u0306"), U"\u0419");
  EXPECT_EQ(ComposeNfc(U"\u30AB\u3099"), U"\u30AC");
}

TEST(UnicodeTextTest, OrdersMarksBeforeItComposes) {
  EXPECT_EQ(ComposeNfc(U"a\u0302\u0323"), U"\u1EAD");
  EXPECT_EQ(ComposeNfc(U"a\u0323\u0302"), U"\u1EAD");
  EXPECT_EQ(ComposeNfc(U"q\u0307\u0323"), U"q\u0323\u0307");
}

TEST(UnicodeTextTest, ComposesHangul) {
  EXPECT_EQ(ComposeNfc(U"\u110B\u1161\u11AB"), U"\uC548");
  EXPECT_EQ(ComposeNfc(U"\uC544\u11AB"), U"\uC548");
}

TEST(UnicodeTextTest, ReplacesSingletons) {
  EXPECT_EQ(ComposeNfc(U"\u212B\u2126\u212A"), U"\u00C5\u03A9K");
  EXPECT_EQ(ComposeNfc(U"\uF900\u0344"), U"\u8C48\u0308\u0301");
}

TEST(UnicodeTextTest, LeavesExcludedCompositionsApart) {
  EXPECT_EQ(ComposeNfc(U"\u0958"), U"\u0915\u093C");
  EXPECT_EQ(ComposeNfc(U"\uFB1D"), U"\u05D9\u05B4");
}

TEST(UnicodeTextTest, KeepsCompatibilityForms) {
  EXPECT_EQ(ComposeNfc(U"\uFB01\u00BD\u2460\uFF21\u00B2"),
            U"\uFB01\u00BD\u2460\uFF21\u00B2");
}

TEST(UnicodeTextTest, KeepsNulAndNoncharacters) {
  const std::u32string text = {U'a', U'\0', U'\uFFFE', U'\uFFFF', U'b'};

  EXPECT_EQ(ComposeNfc(text), text);
  EXPECT_EQ(ComposeNfc(U""), U"");
}

TEST(UnicodeTextTest, ComposingTwiceChangesNothing) {
  for (char32_t c = 0x20; c < 0x3000; ++c) {
    const std::u32string once = ComposeNfc({c, U'\u0301', U'\u0323'});
    ASSERT_EQ(ComposeNfc(once), once) << std::hex << +c;
  }
}

TEST(UnicodeTextTest, LowersLettersOfManyScripts) {
  EXPECT_EQ(ToLower(U"ABC xyz 123"), U"abc xyz 123");
  EXPECT_EQ(ToLower(U"\u00C9\u0416\u0531\u10A0\u1E00"),
            U"\u00E9\u0436\u0561\u2D00\u1E01");
  EXPECT_EQ(ToLower(U"\U00010400\uFF21\u2160\u24B6"),
            U"\U00010428\uFF41\u2170\u24D0");
}

TEST(UnicodeTextTest, LowersTurkishDottedI) {
  EXPECT_EQ(ToLower(U"\u0130"), U"i\u0307");
  EXPECT_EQ(ToLower(U"I\u0131"), U"i\u0131");
}

TEST(UnicodeTextTest, LowersGermanSharpS) {
  EXPECT_EQ(ToLower(U"\u1E9E\u00DF"), U"\u00DF\u00DF");
}

TEST(UnicodeTextTest, LowersSigmaWithoutItsFinalForm) {
  // Each letter by itself, as the tokenizers library does.
  EXPECT_EQ(ToLower(U"\u039F\u03A3"), U"\u03BF\u03C3");
  EXPECT_EQ(ToLower(U"\u03C2"), U"\u03C2");
}

TEST(UnicodeTextTest, LowersTitleCase) {
  EXPECT_EQ(ToLower(U"\u01C5\u1F88\u1FBC"), U"\u01C6\u1F80\u1FB3");
}

TEST(UnicodeTextTest, WhiteSpaceIsThatOfTheCharacterDatabase) {
  std::vector<char32_t> found;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (IsSpace(c)) found.push_back(c);
  }

  EXPECT_EQ(found, kWhiteSpace);
}

TEST(UnicodeTextTest, NoCodePointIsOfTwoKinds) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    ASSERT_LE(IsLetter(c) + IsNumber(c) + IsSpace(c), 1) << std::hex << +c;
  }
}

TEST(UnicodeTextTest, LettersAreOfFiveCategories) {
  // Lu, Ll, Lt, Lm, Lo, in this order.
  for (const char32_t c : {U'A', U'\u00DF', U'\u01C5', U'\u02B0', U'\u732B',
                           U'\u00AA', U'\uAC00', U'\U00020000'}) {
    EXPECT_TRUE(IsLetter(c)) << std::hex << +c;
  }
  // Marks, numbers, symbols, punctuation, private and unassigned ones.
  for (const char32_t c :
       {U'\u0301', U'\u093E', U'\u20E3', U'1', U'\u2160', U'_', U'+', U'\u24D0',
        U'\uE000', U'\U000E0FFF', U'\0'}) {
    EXPECT_FALSE(IsLetter(c)) << std::hex << +c;
  }
}

TEST(UnicodeTextTest, NumbersAreOfThreeCategories) {
  // Nd, Nl, No.
  for (const char32_t c : {U'7', U'\u0663', U'\U0001D7CE', U'\u2167', U'\u3007',
                           U'\u00BD', U'\u2460', U'\u00B2'}) {
    EXPECT_TRUE(IsNumber(c)) << std::hex << +c;
  }
  // The ideograph for one and the letters that count are letters.
  for (const char32_t c : {U'\u4E00', U'\u0399', U'x', U'%', U'\u20E3'}) {
    EXPECT_FALSE(IsNumber(c)) << std::hex << +c;
  }
}

TEST(UnicodeTextTest, EdgesOfTheSurrogatesAreNoLettersNorSpace) {
  for (const char32_t c : {0xD7FF, 0xD800, 0xDFFF, 0xE000, 0x10FFFF}) {
    EXPECT_FALSE(IsLetter(c) || IsNumber(c) || IsSpace(c)) << std::hex << +c;
  }
}

}  // namespace
}  // namespace tessera::model
