#include "worker/model/json_text.h"

#include <cstddef>

namespace tessera::model {

// Counts brackets outside of strings.
absl::Status CheckJsonText(std::string_view text, int max_depth) {
  if (text.find('\0') != text.npos) {
    return absl::InvalidArgumentError("holds a zero byte");
  }
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '"') quoted = false;
      // Skips the escaped character, which may be a quote.
      if (text[i] == '\\') ++i;
      continue;
    }
    if (text[i] == '"') quoted = true;
    if (text[i] == '{' || text[i] == '[') ++depth;
    if (text[i] == '}' || text[i] == ']') --depth;
    if (depth > max_depth) {
      return absl::InvalidArgumentError("nests too deeply");
    }
  }
  return absl::OkStatus();
}

}  // namespace tessera::model
