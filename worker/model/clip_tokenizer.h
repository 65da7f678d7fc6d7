// CLIP's byte-pair tokenizer.
#ifndef TESSERA_WORKER_MODEL_CLIP_TOKENIZER_H_
#define TESSERA_WORKER_MODEL_CLIP_TOKENIZER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace tessera::model {

// Turns a prompt into token ids as transformers' CLIPTokenizer does: composed
// and lower-cased Unicode, white space as one blank, words by CLIP's pattern,
// bytes merged by rank (Sennrich et al. 2016). Immutable; thread-safe.
class ClipTokenizer {
 public:
  // Reads vocab.json, merges.txt and the special tokens of `folder`. `length`
  // is the number of ids a prompt becomes. Errors: NOT_FOUND or
  // INVALID_ARGUMENT naming the file.
  static absl::StatusOr<ClipTokenizer> Load(const std::string& folder,
                                            int64_t length);

  // As above, from the contents of the files; `pad_token` is the token that
  // fills up. Errors name the file, and the token or the line.
  static absl::StatusOr<ClipTokenizer> Parse(std::string_view vocab_json,
                                             std::string_view merges_txt,
                                             const std::string& pad_token,
                                             int64_t length);

  // Returns exactly length() ids: start, the text cut to fit, end, padding.
  // Start, end and padding tokens that the prompt spells out are those tokens;
  // a byte that is not UTF-8 is read as U+FFFD.
  std::vector<int32_t> Encode(std::string_view prompt) const;

  int64_t length() const { return length_; }
  // Returns one more than the largest id.
  int64_t vocab_size() const { return vocab_size_; }

 private:
  ClipTokenizer() = default;

  absl::Status ReadVocabulary(std::string_view json);
  absl::Status ReadMerges(std::string_view text);
  // Checks the line of this number, counted from 1.
  absl::Status CheckMerge(std::string_view line, int number) const;

  // Where a special token stands in a text; without one `at` is the text's end
  // and `size` 0.
  struct Found {
    size_t at = 0;
    size_t size = 0;
    int32_t id = 0;
  };
  // Returns the first special token in `text`.
  Found FindSpecial(std::string_view text) const;

  // Appends the ids of a piece of text without special tokens.
  void AppendText(std::string_view text, std::vector<int32_t>& ids) const;
  // Appends the ids of one word of the pattern.
  void AppendWord(const std::u32string& word, std::vector<int32_t>& ids) const;

  absl::flat_hash_map<std::string, int32_t> ids_;    // symbol to id
  absl::flat_hash_map<std::string, int32_t> ranks_;  // "left right" to rank
  std::vector<std::string> byte_symbols_;            // UTF-8 of each byte
  std::vector<std::pair<std::string, int32_t>> specials_;  // found in prompts
  int64_t length_ = 0;
  int64_t vocab_size_ = 0;
  int32_t start_ = 0;
  int32_t end_ = 0;
  int32_t pad_ = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_CLIP_TOKENIZER_H_
