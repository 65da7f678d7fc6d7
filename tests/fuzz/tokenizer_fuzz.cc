// Tokenizes bytes as a prompt with the demonstration model's vocabulary.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "worker/model/clip_tokenizer.h"
#include "worker/model/clip_words.h"
#include "worker/model/unicode_text.h"

namespace tessera::model {
namespace {

// What a prompt becomes in Stable Diffusion 1.
constexpr int64_t kLength = 77;
// CLIP's special tokens.
constexpr int32_t kStart = 49406;
constexpr int32_t kEnd = 49407;

// Returns the tokenizer, read once.
const ClipTokenizer& Tokenizer() {
  static const auto* const tokenizer = new ClipTokenizer(
      ClipTokenizer::Load(std::string(TESSERA_SOURCE_DIR) +
                              "/deploy/local/models/emoji-sd/tokenizer",
                          kLength)
          .value());
  return *tokenizer;
}

// Checks that words cut `text` without loss: together they are the text
// without its white space.
void CheckWords(const std::u32string& text) {
  std::u32string joined;
  for (const std::u32string& word : SplitClipWords(text)) {
    CHECK(!word.empty());
    joined += word;
  }
  std::u32string expected;
  std::copy_if(text.begin(), text.end(), std::back_inserter(expected),
               [](char32_t c) { return !IsSpace(c); });
  CHECK(joined == expected);
}

// Checks the Unicode steps one by one and returns the text they make.
void CheckUnicode(std::string_view prompt) {
  const std::u32string decoded = DecodeUtf8(prompt);
  std::string utf8;
  for (const char32_t code_point : decoded) AppendUtf8(code_point, utf8);
  CHECK(DecodeUtf8(utf8) == decoded);
  const std::u32string composed = ComposeNfc(decoded);
  CHECK(ComposeNfc(composed) == composed);
  CheckWords(ToLower(composed));
}

// Checks the frame of the ids: start, text, end, padding by the end token.
void CheckIds(const std::vector<int32_t>& ids) {
  CHECK(ids.size() == static_cast<size_t>(kLength));
  CHECK(ids.front() == kStart);
  CHECK(ids.back() == kEnd);
  for (const int32_t id : ids) {
    CHECK(id >= 0 && id < Tokenizer().vocab_size());
  }
}

// Checks everything about one prompt.
void CheckPrompt(std::string_view prompt) {
  CheckUnicode(prompt);
  const std::vector<int32_t> ids = Tokenizer().Encode(prompt);
  CheckIds(ids);
  // White space around a prompt is not part of any word.
  CHECK(Tokenizer().Encode(" \n" + std::string(prompt) + "\t ") == ids);
}

}  // namespace
}  // namespace tessera::model

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tessera::model::CheckPrompt({reinterpret_cast<const char*>(data), size});
  return 0;
}
