// Turns arbitrary bytes into ones that are more often a safetensors file.
#ifndef TESSERA_TESTS_FUZZ_SAFETENSORS_INPUT_H_
#define TESSERA_TESTS_FUZZ_SAFETENSORS_INPUT_H_

#include <string>
#include <string_view>

namespace tessera::fuzz {

// Returns `input` with a header length (its first 8 bytes, little endian) that
// reaches to the last closing brace; unchanged when there is none behind them.
// A mutation of the header nearly always breaks its length, and the rest of
// the file would never be looked at.
std::string WithFittingHeader(std::string_view input);

}  // namespace tessera::fuzz

#endif  // TESSERA_TESTS_FUZZ_SAFETENSORS_INPUT_H_
