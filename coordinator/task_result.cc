#include "coordinator/task_result.h"

#include <algorithm>
#include <string>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Whether a path stays below images/ of the output folder. Workers are trusted
// with pictures, not with names: the seal decides by them what it removes.
bool IsPicturePath(const std::string& path) {
  if (!absl::StartsWith(path, "images/") || absl::EndsWith(path, "/")) {
    return false;
  }
  // Also refuses "a//b", which names the same file as "a/b" in another text.
  for (absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  // The path is handed to the system as a C string, which would end here.
  return path.find('\0') == std::string::npos;
}

// Whether a digest has the one form that equal digests share; they are compared
// as text.
bool IsSha256(const std::string& digest) {
  return digest.size() == 64 &&
         std::all_of(digest.begin(), digest.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

// Checks what the store, the manifest and the seal rely on.
absl::Status ValidateOutcome(const TaskResult& result) {
  // Any code: those that are not known count as final (retry_policy.h).
  if (const auto* failure = std::get_if<TaskFailure>(&result.outcome)) {
    return failure->code.empty()
               ? absl::InvalidArgumentError("failure without a code")
               : absl::OkStatus();
  }
  const auto& image = std::get<ImageRecord>(result.outcome);
  if (!IsPicturePath(image.path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("path is not below images/: ", image.path));
  }
  if (!IsSha256(image.sha256)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "sha256 is not 64 lower-case hexadecimal digits: ", image.sha256));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateResults(const std::vector<TaskResult>& results,
                             int32_t pictures) {
  for (const TaskResult& result : results) {
    if (result.task < 0 || result.task >= pictures) {
      return absl::InvalidArgumentError(absl::StrCat(
          "task is outside the shard: ", result.task, ", tasks ", pictures));
    }
    // Checks all before the first is applied: a commit is taken whole or not.
    RETURN_IF_ERROR(ValidateOutcome(result));
  }
  return absl::OkStatus();
}

bool SameOutcome(const TaskResult& a, const TaskResult& b) {
  // A picture and a failure never agree.
  if (a.outcome.index() != b.outcome.index()) return false;
  if (const auto* failure = std::get_if<TaskFailure>(&a.outcome)) {
    // Reasons may hold times and addresses, and so differ between repeats.
    return failure->code == std::get<TaskFailure>(b.outcome).code;
  }
  return !DifferentDigest(a, b);
}

bool DifferentDigest(const TaskResult& a, const TaskResult& b) {
  const auto* first = std::get_if<ImageRecord>(&a.outcome);
  const auto* second = std::get_if<ImageRecord>(&b.outcome);
  return first != nullptr && second != nullptr &&
         first->sha256 != second->sha256;
}

}  // namespace tessera::coordinator
