// The Unicode rules of CLIP's tokenizer.
#ifndef TESSERA_WORKER_MODEL_UNICODE_TEXT_H_
#define TESSERA_WORKER_MODEL_UNICODE_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::model {

// Returns the code points of `text`; a byte that is not UTF-8 becomes U+FFFD.
std::u32string DecodeUtf8(std::string_view text);

// Appends the UTF-8 form of `code_point` to `text`.
void AppendUtf8(char32_t code_point, std::string& text);

// Returns `text` in Unicode's composed normal form (NFC).
std::u32string ComposeNfc(const std::u32string& text);

// Returns `text` in lower case by Unicode's full mapping: U+0130 becomes two
// code points.
std::u32string ToLower(const std::u32string& text);

// General categories as the pattern's \p{L}, \p{N} and \s have them.
bool IsLetter(char32_t code_point);
bool IsNumber(char32_t code_point);
bool IsSpace(char32_t code_point);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_UNICODE_TEXT_H_
