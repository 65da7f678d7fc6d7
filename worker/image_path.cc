#include "worker/image_path.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/output_layout.h"

namespace tessera::worker {
namespace {

// Keeps the whole name, with index and ".png", far below 255 bytes.
constexpr size_t kMaxIdLength = 64;

// Says whether `c` is safe in a file name on every system.
bool IsIdCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == '-';
}

// Refuses "..", hidden files and path separators.
bool IsValidId(const std::string& id) {
  if (id.empty() || id.size() > kMaxIdLength || id[0] == '.') return false;
  for (const char c : id) {
    if (!IsIdCharacter(c)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> ImagePath(int64_t shard_index,
                                      const std::string& custom_id, int index) {
  if (!IsValidId(custom_id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("custom_id is not a file name: ", custom_id));
  }
  // Ends in the picture's index, for a line may ask for several.
  return absl::StrCat(ShardFolder(shard_index), "/", custom_id, "-", index,
                      ".png");
}

}  // namespace tessera::worker
