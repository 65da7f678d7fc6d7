// The smallest vocabulary that a CLIP tokenizer can have.
#ifndef TESSERA_TESTS_UNIT_WORKER_TEXT_BYTE_VOCABULARY_H_
#define TESSERA_TESTS_UNIT_WORKER_TEXT_BYTE_VOCABULARY_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "worker/model/unicode_text.h"

namespace tessera::model {

// Ids of ByteVocabulary: the bytes in the order of bytes_to_unicode, printable
// ones first, then the same at a word's end, then the special tokens.
inline constexpr int32_t kWordEndIds = 256;
inline constexpr int32_t kStartId = 512;
inline constexpr int32_t kEndId = 513;

// Returns the characters that stand for bytes: '!' to '~', U+00A1 to U+00AC
// and U+00AE to U+00FF for themselves, then U+0100 on for the other 68.
inline std::vector<std::string> ByteCharacters() {
  std::vector<std::string> characters;
  const auto append = [&](char32_t first, char32_t last) {
    for (char32_t c = first; c <= last; ++c) {
      AppendUtf8(c, characters.emplace_back());
    }
  };
  append('!', '~');
  append(0xA1, 0xAC);
  append(0xAE, 0xFF);
  append(0x100, 0x143);
  return characters;
}

// Returns a vocabulary of all bytes and the special tokens, without merges.
inline nlohmann::json ByteVocabulary() {
  nlohmann::json vocabulary = nlohmann::json::object();
  int32_t id = 0;
  for (const std::string& c : ByteCharacters()) vocabulary[c] = id++;
  for (const std::string& c : ByteCharacters()) vocabulary[c + "</w>"] = id++;
  vocabulary["<|startoftext|>"] = kStartId;
  vocabulary["<|endoftext|>"] = kEndId;
  return vocabulary;
}

}  // namespace tessera::model

#endif  // TESSERA_TESTS_UNIT_WORKER_TEXT_BYTE_VOCABULARY_H_
