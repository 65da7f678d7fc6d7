#include "coordinator/field_rules.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "coordinator/sampler_names.h"

namespace tessera::coordinator {
namespace {

// Pixels. The VAE shrinks by 8, so other sizes have no latents; the upper limit
// bounds the memory that a single picture can ask for.
constexpr int64_t kMinSize = 64, kMaxSize = 4096, kSizeMultiple = 8;
// Training used 1000 timesteps; there are no more to choose from.
constexpr int64_t kMaxSteps = 1000;
// Far above any value in use.
constexpr double kMaxGuidance = 100;
// Pictures of one line: bounds what a single line can ask for.
constexpr int64_t kMaxPictures = 1024;
// Part of a file name, with room for the index and ".png".
constexpr size_t kMaxCustomId = 64;
// Models and LoRAs name files and folders too.
constexpr size_t kMaxName = 128;
// Enough to recognise a value, short enough for one line of a message.
constexpr size_t kMaxQuoted = 64;

// Returns `value` as int, which the range must fit.
absl::StatusOr<int> CheckRange(int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be from ", low, " to ", high, ", got ", value));
  }
  return static_cast<int>(value);
}

// Only what is safe in a file name, a URL and a shell on every system.
bool IsNameText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

// Refuses a dot at the start as well: such files are hidden, and ".." would
// leave the folder.
absl::Status CheckNameText(std::string_view text, size_t max_length) {
  if (text.empty() || text.size() > max_length || !IsNameText(text) ||
      text[0] == '.') {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be 1 to ", max_length,
        " of letters, digits, '.', '_', '-' and not start with a dot, got ",
        Quoted(text)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> CheckSize(int64_t pixels) {
  // Said apart, because the range alone would look satisfied.
  if (pixels >= kMinSize && pixels <= kMaxSize && pixels % kSizeMultiple != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be a multiple of 8, got ", pixels));
  }
  return CheckRange(pixels, kMinSize, kMaxSize);
}

absl::StatusOr<int> CheckSteps(int64_t steps) {
  return CheckRange(steps, 1, kMaxSteps);
}

absl::StatusOr<float> CheckGuidance(double scale) {
  // Written so that NaN fails: every comparison with it is false.
  if (!(scale >= 0 && scale <= kMaxGuidance)) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be from 0 to 100, got ", scale));
  }
  return static_cast<float>(scale);
}

absl::StatusOr<int> CheckPictures(int64_t count) {
  return CheckRange(count, 1, kMaxPictures);
}

absl::StatusOr<float> CheckLoraScale(double scale) {
  // Checked after the conversion: 1e300 is finite as double only.
  const float value = static_cast<float>(scale);
  if (!std::isfinite(value)) {
    return absl::InvalidArgumentError(
        absl::StrCat("scale must be finite in single precision, got ", scale));
  }
  return value;
}

absl::Status CheckPromptText(std::string_view text) {
  if (text.size() > kMaxPromptBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be at most ", kMaxPromptBytes, " bytes, got ", text.size()));
  }
  // Legal in JSON; tokenizers and file formats end the text there.
  if (text.find('\0') != text.npos) {
    return absl::InvalidArgumentError("must not hold U+0000");
  }
  return absl::OkStatus();
}

absl::Status CheckCustomId(std::string_view id) {
  return CheckNameText(id, kMaxCustomId);
}

absl::Status CheckName(std::string_view name) {
  return CheckNameText(name, kMaxName);
}

absl::StatusOr<std::string> CheckSampler(std::string_view name) {
  // Empty means the model's own; only the worker knows which that is.
  if (name.empty()) return std::string();
  const auto sampler = ResolveSampler(name);
  if (!sampler.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be one of ", std::string(SamplerChoices()), ", got ",
                     Quoted(name)));
  }
  return std::string(*sampler);
}

std::string Quoted(std::string_view text) {
  const bool cut = text.size() > kMaxQuoted;
  if (cut) {
    text = text.substr(0, kMaxQuoted);
    // The cut keeps whole characters, as the message travels as UTF-8.
    // Do not cut inside a character of UTF-8.
    while (!text.empty() && (text.back() & 0xC0) == 0x80) text.remove_suffix(1);
    if (!text.empty() && (text.back() & 0x80)) text.remove_suffix(1);
  }
  return absl::StrCat(
      "\"", absl::Utf8SafeCEscape(absl::string_view(text.data(), text.size())),
      cut ? "…\"" : "\"");
}

}  // namespace tessera::coordinator
