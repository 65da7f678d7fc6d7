#include "worker/model/clip_tokenizer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"
#include "worker/model/byte_pairs.h"
#include "worker/model/clip_words.h"
#include "worker/model/config_file.h"
#include "worker/model/mapped_file.h"
#include "worker/model/unicode_text.h"

namespace tessera::model {
namespace {

// Special tokens of CLIP's vocabulary, and the mark that ends a word's last
// symbol.
constexpr char kStart[] = "<|startoftext|>";
constexpr char kEnd[] = "<|endoftext|>";
constexpr char kWordEnd[] = "</w>";

// GPT-2's bytes_to_unicode: every byte gets a printable character; those that
// are not printable themselves take the code points from 256 on.
std::vector<std::string> ByteSymbols() {
  const auto printable = [](int byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
           byte >= 0xAE;
  };
  std::vector<std::string> symbols(256);
  char32_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    AppendUtf8(printable(byte) ? static_cast<char32_t>(byte) : next++,
               symbols[static_cast<size_t>(byte)]);
  }
  return symbols;
}

// Returns the padding token that one of the folder's configs names: Stable
// Diffusion 1 pads with the end token, 2 with "!".
absl::StatusOr<std::string> ReadPadToken(const std::string& folder) {
  for (const char* name :
       {"tokenizer_config.json", "special_tokens_map.json"}) {
    const absl::StatusOr<ConfigFile> config =
        ConfigFile::Open(absl::StrCat(folder, "/", name));
    if (absl::IsNotFound(config.status())) continue;
    RETURN_IF_ERROR(config.status());
    if (config->Has("pad_token")) return config->TokenText("pad_token");
  }
  return std::string(kEnd);
}

}  // namespace

absl::StatusOr<ClipTokenizer> ClipTokenizer::Load(const std::string& folder,
                                                  int64_t length) {
  const std::string vocab_path = absl::StrCat(folder, "/vocab.json");
  const std::string merges_path = absl::StrCat(folder, "/merges.txt");
  ASSIGN_OR_RETURN(const MappedFile vocab, MappedFile::Open(vocab_path));
  ASSIGN_OR_RETURN(const MappedFile merges, MappedFile::Open(merges_path));
  // Vocabulary and merges do not say which token pads.
  ASSIGN_OR_RETURN(const std::string pad, ReadPadToken(folder));
  absl::StatusOr<ClipTokenizer> tokenizer =
      Parse(vocab.bytes(), merges.bytes(), pad, length);
  if (!tokenizer.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": ", std::string(tokenizer.status().message())));
  }
  return tokenizer;
}

absl::StatusOr<ClipTokenizer> ClipTokenizer::Parse(std::string_view vocab_json,
                                                   std::string_view merges_txt,
                                                   const std::string& pad_token,
                                                   int64_t length) {
  // Would be found everywhere in a prompt.
  if (pad_token.empty()) {
    return absl::InvalidArgumentError("pad_token: expected a token, got \"\"");
  }
  ClipTokenizer tokenizer;
  tokenizer.length_ = length;
  tokenizer.byte_symbols_ = ByteSymbols();
  RETURN_IF_ERROR(tokenizer.ReadVocabulary(vocab_json));
  RETURN_IF_ERROR(tokenizer.ReadMerges(merges_txt));
  const auto id_of = [&](const std::string& token) -> absl::StatusOr<int32_t> {
    const auto found = tokenizer.ids_.find(token);
    if (found != tokenizer.ids_.end()) return found->second;
    return absl::InvalidArgumentError(
        absl::StrCat("vocab.json: missing token: ", token));
  };
  // Asks for the special tokens and for every byte, alone and at a word's end:
  // Encode then always finds an id for what no merge joins.
  ASSIGN_OR_RETURN(tokenizer.start_, id_of(kStart));
  ASSIGN_OR_RETURN(tokenizer.end_, id_of(kEnd));
  ASSIGN_OR_RETURN(tokenizer.pad_, id_of(pad_token));
  tokenizer.specials_ = {{kStart, tokenizer.start_}, {kEnd, tokenizer.end_}};
  if (pad_token != kStart && pad_token != kEnd) {
    tokenizer.specials_.emplace_back(pad_token, tokenizer.pad_);
  }
  for (const std::string& symbol : tokenizer.byte_symbols_) {
    RETURN_IF_ERROR(id_of(symbol).status());
    RETURN_IF_ERROR(id_of(absl::StrCat(symbol, kWordEnd)).status());
  }
  return tokenizer;
}

absl::Status ClipTokenizer::ReadVocabulary(std::string_view json) {
  const auto object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object()) {
    return absl::InvalidArgumentError("vocab.json: expected a JSON object");
  }
  for (const auto& [token, id] : object.items()) {
    // Bounds ids far above any vocabulary, so that they fit 32 bits.
    if (!id.is_number_unsigned() || id.get<uint64_t>() > 10'000'000) {
      return absl::InvalidArgumentError(
          absl::StrCat("vocab.json: not an id: ", token));
    }
    ids_[token] = id.get<int32_t>();
    vocab_size_ = std::max<int64_t>(vocab_size_, id.get<int64_t>() + 1);
  }
  return absl::OkStatus();
}

// Gives each line a rank: the earlier, the sooner its pair is merged.
absl::Status ClipTokenizer::ReadMerges(std::string_view text) {
  int32_t rank = 0;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    // Skips the version line, which is a comment only in first place.
    const bool comment = number == 1 && line.starts_with("#version");
    if (comment || line.empty()) continue;
    RETURN_IF_ERROR(CheckMerge(line, number));
    ranks_.emplace(std::string(line), rank++);
  }
  return absl::OkStatus();
}

// Asks for an id of what a line joins: Encode then finds one for every symbol.
absl::Status ClipTokenizer::CheckMerge(std::string_view line,
                                       int number) const {
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos || blank == 0 ||
      blank + 1 == line.size() ||
      line.find(' ', blank + 1) != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "merges.txt:", number, ": expected two symbols: ", std::string(line)));
  }
  std::string joined(line.substr(0, blank));
  joined += line.substr(blank + 1);
  if (ids_.contains(joined)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("merges.txt:", number, ": not in vocab.json: ", joined));
}

ClipTokenizer::Found ClipTokenizer::FindSpecial(std::string_view text) const {
  Found found = {.at = text.size()};
  for (const auto& [token, id] : specials_) {
    // Prefers the longer of two at one place.
    const size_t at = text.find(token);
    if (at == std::string_view::npos || at > found.at ||
        (at == found.at && token.size() < found.size)) {
      continue;
    }
    found = {.at = at, .size = token.size(), .id = id};
  }
  return found;
}

std::vector<int32_t> ClipTokenizer::Encode(std::string_view prompt) const {
  // Splits at special tokens that the prompt spells out: transformers'
  // tokenizer takes those as tokens, not as text.
  std::vector<int32_t> ids = {start_};
  // Leaves out what will be cut: nothing behind it changes an id before it.
  const auto room = static_cast<size_t>(length_ - 1);
  while (!prompt.empty() && ids.size() <= room) {
    const Found special = FindSpecial(prompt);
    AppendText(prompt.substr(0, special.at), ids);
    if (special.size > 0) ids.push_back(special.id);
    prompt.remove_prefix(special.at + special.size);
  }
  // Cuts as transformers does with truncation: the end token always stays.
  if (ids.size() > room) ids.resize(room);
  ids.push_back(end_);
  ids.resize(static_cast<size_t>(length_), pad_);
  return ids;
}

void ClipTokenizer::AppendText(std::string_view text,
                               std::vector<int32_t>& ids) const {
  // Cleans in this order: a composed letter and its parts lower to the same
  // text.
  const std::u32string clean = ToLower(ComposeNfc(DecodeUtf8(text)));
  for (const std::u32string& word : SplitClipWords(clean)) {
    AppendWord(word, ids);
    // What no prompt can hold need not be merged.
    if (static_cast<int64_t>(ids.size()) > length_) return;
  }
}

void ClipTokenizer::AppendWord(const std::u32string& word,
                               std::vector<int32_t>& ids) const {
  std::string utf8;
  for (const char32_t code_point : word) AppendUtf8(code_point, utf8);
  std::vector<std::string> symbols;
  for (const char byte : utf8) {
    // Takes bytes, not code points, so that every text has symbols.
    symbols.push_back(byte_symbols_[static_cast<uint8_t>(byte)]);
  }
  // Marks the end of the word; SplitClipWords returns no empty word.
  symbols.back() += kWordEnd;
  const auto rank_of = [&](std::string_view left,
                           std::string_view right) -> std::optional<int32_t> {
    std::string pair(left);
    pair.append(" ").append(right);
    const auto rank = ranks_.find(pair);
    if (rank == ranks_.end()) return std::nullopt;
    return rank->second;
  };
  symbols = MergePairs(std::move(symbols), rank_of);
  for (const std::string& symbol : symbols) {
    const auto id = ids_.find(symbol);
    // A merge without an entry cannot be had from a sound vocabulary.
    ids.push_back(id == ids_.end() ? end_ : id->second);
  }
}

}  // namespace tessera::model
