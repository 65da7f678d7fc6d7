// Ranges of the fields that users give, stated once for prompt lines and for
// the defaults of a job. Errors are the reason alone ("must be …, got …"); the
// caller puts line and field before it.
#ifndef TESSERA_COORDINATOR_FIELD_RULES_H_
#define TESSERA_COORDINATOR_FIELD_RULES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::coordinator {

// Longest prompt and negative prompt, in bytes of UTF-8.
inline constexpr size_t kMaxPromptBytes = 64 << 10;
// Most LoRAs of one line.
inline constexpr size_t kMaxLoras = 64;

// All return INVALID_ARGUMENT with the reason.
absl::StatusOr<int> CheckSize(int64_t pixels);        // 64 to 4096, of 8
absl::StatusOr<int> CheckSteps(int64_t steps);        // 1 to 1000
absl::StatusOr<float> CheckGuidance(double scale);    // 0 to 100
absl::StatusOr<int> CheckPictures(int64_t count);     // 1 to 1024
absl::StatusOr<float> CheckLoraScale(double scale);   // finite as float
absl::Status CheckPromptText(std::string_view text);  // length, no U+0000
absl::Status CheckCustomId(std::string_view id);      // 1 to 64, no dot first
absl::Status CheckName(std::string_view name);        // 1 to 128 [A-Za-z0-9._-]
absl::StatusOr<std::string> CheckSampler(std::string_view name);  // short name

// Returns `text` in double quotes, escaped, cut to 64 characters: fit for an
// error message whatever the user sent.
std::string Quoted(std::string_view text);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_FIELD_RULES_H_
