#include "tests/fuzz/safetensors_input.h"

#include <cstdint>

namespace tessera::fuzz {
namespace {

// The width of the header length.
constexpr size_t kLengthBytes = 8;

}  // namespace

std::string WithFittingHeader(std::string_view input) {
  std::string file(input);
  const size_t brace = input.rfind('}');
  if (brace == input.npos || brace < kLengthBytes) return file;
  const uint64_t length = brace + 1 - kLengthBytes;
  for (size_t byte = 0; byte < kLengthBytes; ++byte) {
    file[byte] = static_cast<char>(length >> (8 * byte) & 0xFF);
  }
  return file;
}

}  // namespace tessera::fuzz
