#include "common/blob_store.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace tessera {
namespace {

constexpr size_t kDigits = 64;  // of a SHA-256
// What an error message quotes of a text that may be of any length.
constexpr size_t kMostQuoted = 80;

// Returns whether `c` is a digit of our hexadecimal form, which has one
// spelling only: two spellings would be two files.
bool IsDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

absl::Status CheckDigest(std::string_view digest) {
  if (digest.size() == kDigits &&
      std::all_of(digest.begin(), digest.end(), IsDigit)) {
    return absl::OkStatus();
  }
  // Escaped byte by byte, as the text comes from outside and may be no UTF-8.
  const std::string_view quoted = digest.substr(0, kMostQuoted);
  return absl::InvalidArgumentError(
      absl::StrCat("sha256: must be 64 lower-case hexadecimal digits, got \"",
                   absl::CHexEscape(std::string(quoted)), "\""));
}

}  // namespace tessera
