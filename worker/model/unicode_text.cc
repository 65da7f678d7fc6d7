#include "worker/model/unicode_text.h"

#include <utf8proc.h>

#include <cstdlib>

namespace tessera::model {
namespace {

// Stands for a byte that is no part of valid UTF-8.
constexpr char32_t kReplacement = 0xFFFD;
// The one letter whose lower case is two code points in every locale.
constexpr char32_t kCapitalIWithDot = 0x130;
constexpr char32_t kCombiningDotAbove = 0x307;

// Returns the general category of a code point.
utf8proc_category_t CategoryOf(char32_t code_point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
}

}  // namespace

std::u32string DecodeUtf8(std::string_view text) {
  std::u32string code_points;
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t code_point = -1;
    // Takes a whole sequence or nothing.
    const utf8proc_ssize_t used = utf8proc_iterate(at, left, &code_point);
    const bool valid = used > 0 && code_point >= 0;
    code_points.push_back(valid ? static_cast<char32_t>(code_point)
                                : kReplacement);
    // Skips one byte only: the next may start a sequence.
    at += valid ? used : 1;
    left -= valid ? used : 1;
  }
  return code_points;
}

void AppendUtf8(char32_t code_point, std::string& text) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t count =
      utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
}

std::u32string ComposeNfc(const std::u32string& text) {
  // Goes through UTF-8, on which utf8proc works.
  std::string utf8;
  for (const char32_t code_point : text) AppendUtf8(code_point, utf8);
  utf8proc_uint8_t* composed = nullptr;
  // Leaves compatibility forms apart: NFC, not NFKC, as transformers does.
  const utf8proc_ssize_t size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
      static_cast<utf8proc_ssize_t>(utf8.size()), &composed,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  // Keeps the text as it is where it cannot be composed.
  if (size < 0) return text;
  std::u32string result = DecodeUtf8(
      {reinterpret_cast<const char*>(composed), static_cast<size_t>(size)});
  // Frees what utf8proc allocated with malloc.
  std::free(composed);
  return result;
}

std::u32string ToLower(const std::u32string& text) {
  std::u32string lower;
  for (const char32_t code_point : text) {
    if (code_point == kCapitalIWithDot) {
      lower.push_back(U'i');
      lower.push_back(kCombiningDotAbove);
      continue;
    }
    // Maps one to one; the one exception is above.
    lower.push_back(static_cast<char32_t>(
        utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point))));
  }
  return lower;
}

// Takes all of \p{L}: upper, lower, title, modifier and other letters.
bool IsLetter(char32_t code_point) {
  switch (CategoryOf(code_point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return true;
    default:
      return false;
  }
}

// Takes all of \p{N}, Roman numerals and fractions among them.
bool IsNumber(char32_t code_point) {
  switch (CategoryOf(code_point)) {
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

// White_Space of the Unicode character database.
bool IsSpace(char32_t code_point) {
  // Lists control characters, which have no category of their own.
  if (code_point >= 0x09 && code_point <= 0x0D) return true;
  if (code_point == 0x85) return true;
  switch (CategoryOf(code_point)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return true;
    default:
      return false;
  }
}

}  // namespace tessera::model
