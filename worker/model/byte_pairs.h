// Byte-pair merging, the heart of the tokenizer.
#ifndef TESSERA_WORKER_MODEL_BYTE_PAIRS_H_
#define TESSERA_WORKER_MODEL_BYTE_PAIRS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"

namespace tessera::model {

// Returns the rank of joining two neighbours, lower ones first; nothing when
// they are never joined.
using PairRank = absl::FunctionRef<std::optional<int32_t>(
    std::string_view left, std::string_view right)>;

// Joins neighbouring symbols, each time those of the lowest rank and of
// several the leftmost, until none has a rank (Sennrich et al. 2016).
//
// Asks for fewer than three ranks a symbol and takes O(n log n) time: a word
// may be as long as a prompt.
std::vector<std::string> MergePairs(std::vector<std::string> symbols,
                                    PairRank rank);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_BYTE_PAIRS_H_
