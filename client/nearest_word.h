// The known word that a mistyped one probably meant.
#ifndef TESSERA_CLIENT_NEAREST_WORD_H_
#define TESSERA_CLIENT_NEAREST_WORD_H_

#include <string>
#include <string_view>
#include <vector>

namespace tessera::client {

// Returns how many letters must be inserted, removed or replaced to make `b`
// of `a` (Levenshtein). Quadratic in the lengths.
int EditDistance(std::string_view a, std::string_view b);

// Returns the word of `known` nearest to `word`, or an empty string when none
// is near enough to be meant.
std::string NearestWord(std::string_view word,
                        const std::vector<std::string>& known);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_NEAREST_WORD_H_
