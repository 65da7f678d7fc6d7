#include "worker/model/clip_words.h"

#include <string_view>

#include "worker/model/unicode_text.h"

namespace tessera::model {
namespace {

// In the order of the pattern, which prefers the earlier.
constexpr std::u32string_view kContractions[] = {U"'s", U"'t",  U"'re", U"'ve",
                                                 U"'m", U"'ll", U"'d"};

// Special tokens in lower case, each the parts into which GPT-2's pattern cuts
// it.
constexpr std::u32string_view kSpecials[][3] = {{U"<|", U"startoftext", U"|>"},
                                                {U"<|", U"endoftext", U"|>"}};

// Says whether `c` is of [^\s\p{L}\p{N}].
bool IsSymbol(char32_t c) {
  return !IsSpace(c) && !IsLetter(c) && !IsNumber(c);
}

// Returns how many code points the match at the start of `text` takes.
size_t MatchLength(std::u32string_view text) {
  for (const std::u32string_view contraction : kContractions) {
    if (text.starts_with(contraction)) return contraction.size();
  }
  // Takes one number at a time: \p{N} stands without a plus.
  if (IsNumber(text[0])) return 1;
  // Takes the longest run of the first one's class; an apostrophe that starts
  // no contraction is a symbol.
  const auto belongs = IsLetter(text[0]) ? IsLetter : IsSymbol;
  size_t length = 1;
  while (length < text.size() && belongs(text[length])) ++length;
  return length;
}

// Takes a special token from the start of `text` and appends its parts; says
// whether there was one.
bool TakeSpecial(std::u32string_view& text,
                 std::vector<std::u32string>& words) {
  for (const auto& [open, name, close] : kSpecials) {
    std::u32string_view left = text;
    bool whole = true;
    for (const std::u32string_view part : {open, name, close}) {
      whole = whole && left.starts_with(part);
      if (whole) left.remove_prefix(part.size());
    }
    if (!whole) continue;
    words.insert(words.end(), {std::u32string(open), std::u32string(name),
                               std::u32string(close)});
    text = left;
    return true;
  }
  return false;
}

}  // namespace

std::vector<std::u32string> SplitClipWords(const std::u32string& text) {
  std::vector<std::u32string> words;
  std::u32string_view left = text;
  while (!left.empty()) {
    if (IsSpace(left[0])) {
      left.remove_prefix(1);
      continue;
    }
    if (TakeSpecial(left, words)) continue;
    const size_t length = MatchLength(left);
    words.emplace_back(left.substr(0, length));
    left.remove_prefix(length);
  }
  return words;
}

}  // namespace tessera::model
