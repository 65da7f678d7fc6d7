#include "worker/model/config_file.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/json_text.h"
#include "worker/model/mapped_file.h"

namespace tessera::model {
namespace {

using nlohmann::json;

// Deeper than any config; values are printed by recursion.
constexpr int kMaxDepth = 32;
// Bytes of a value that a message quotes.
constexpr size_t kMaxQuoted = 80;

// Says whether `value` is a whole number in [min, max]; the parser keeps
// numbers beyond INT64_MAX unsigned.
bool InRange(const json& value, int64_t min, int64_t max) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() &&
      value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
    return false;
  }
  return value.get<int64_t>() >= min && value.get<int64_t>() <= max;
}

// Names a range in words for messages.
std::string Range(int64_t min, int64_t max) {
  return absl::StrCat("an integer from ", min, " to ", max);
}

// Returns up to `size` bytes of a longer UTF-8 text, which end between two
// characters.
std::string CutUtf8(const std::string& text, size_t size) {
  // Steps back over bytes that continue a character: 10xxxxxx.
  while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

ConfigFile::ConfigFile(json json, std::string path)
    : json_(std::move(json)), path_(std::move(path)) {}

absl::StatusOr<ConfigFile> ConfigFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  // Copies, for the mapping ends with this call.
  return Parse(std::string(file.bytes()), path);
}

absl::StatusOr<ConfigFile> ConfigFile::Parse(const std::string& text,
                                             const std::string& path) {
  const absl::Status fit = CheckJsonText(text, kMaxDepth);
  if (!fit.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": expected a JSON object, but it ", std::string(fit.message())));
  }
  // Parses without exceptions: damaged text becomes a value that is no object.
  json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a JSON object"));
  }
  return ConfigFile(std::move(object), path);
}

const json& ConfigFile::Get(const std::string& field) const {
  // Never dies, so that it may be returned by reference at any time.
  static const json* const absent = new json(nullptr);
  const auto found = json_.find(field);
  return found == json_.end() ? *absent : *found;
}

absl::Status ConfigFile::Error(const std::string& field,
                               const std::string& expected) const {
  const json& value = Get(field);
  // Quotes what the file has, cut short: a field may hold a whole table.
  std::string got = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (got.size() > kMaxQuoted) got = CutUtf8(got, kMaxQuoted) + "…";
  return absl::InvalidArgumentError(
      absl::StrCat(path_, ": ", field, ": expected ", expected, ", got ", got));
}

// Counts null as absent: diffusers writes None where an option is off.
bool ConfigFile::Has(const std::string& field) const {
  return !Get(field).is_null();
}

// Refuses 3.0 and "3": configs write whole numbers without a point.
absl::StatusOr<int64_t> ConfigFile::Int(const std::string& field, int64_t min,
                                        int64_t max) const {
  const json& value = Get(field);
  if (!InRange(value, min, max)) return Error(field, Range(min, max));
  return value.get<int64_t>();
}

// Still checks what is there: the fallback is for absence alone.
absl::StatusOr<int64_t> ConfigFile::IntOr(const std::string& field, int64_t min,
                                          int64_t max, int64_t fallback) const {
  return Has(field) ? Int(field, min, max) : fallback;
}

// Takes whole numbers as well, for JSON makes no difference.
absl::StatusOr<double> ConfigFile::NumberOr(const std::string& field,
                                            double fallback) const {
  const json& value = Get(field);
  if (value.is_null()) return fallback;
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    // Refuses numbers such as 1e999, which overflow to infinity.
    return Error(field, "a finite number");
  }
  return value.get<double>();
}

// Rounds once, as torch does with Python's numbers.
absl::StatusOr<float> ConfigFile::FloatOr(const std::string& field,
                                          double fallback) const {
  ASSIGN_OR_RETURN(const double number, NumberOr(field, fallback));
  // Compares before it rounds: what f32 cannot hold has no defined value.
  if (std::abs(number) > std::numeric_limits<float>::max()) {
    return Error(field, "a number that fits f32");
  }
  return static_cast<float>(number);
}

// Checks what is left after rounding: a divisor may not become zero.
absl::StatusOr<float> ConfigFile::PositiveOr(const std::string& field,
                                             double fallback) const {
  ASSIGN_OR_RETURN(const float number, FloatOr(field, fallback));
  if (number <= 0) return Error(field, "a positive number");
  return number;
}

absl::StatusOr<bool> ConfigFile::BoolOr(const std::string& field,
                                        bool fallback) const {
  const json& value = Get(field);
  if (value.is_null()) return fallback;
  if (!value.is_boolean()) return Error(field, "true or false");
  return value.get<bool>();
}

absl::StatusOr<std::string> ConfigFile::StringOr(
    const std::string& field, const std::string& fallback) const {
  const json& value = Get(field);
  if (value.is_null()) return fallback;
  if (!value.is_string()) return Error(field, "a string");
  return value.get<std::string>();
}

absl::StatusOr<std::string> ConfigFile::TokenText(
    const std::string& field) const {
  const json& value = Get(field);
  // Follows transformers: added tokens are objects with flags beside the
  // content.
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") &&
      value["content"].is_string()) {
    return value["content"].get<std::string>();
  }
  return Error(field, "a token or an object with its content");
}

absl::StatusOr<std::vector<int64_t>> ConfigFile::Ints(const std::string& field,
                                                      int64_t min,
                                                      int64_t max) const {
  const json& value = Get(field);
  std::vector<int64_t> ints;
  if (value.is_array()) {
    for (const json& item : value) {
      if (!InRange(item, min, max)) {
        return Error(field, absl::StrCat("a list of ", Range(min, max)));
      }
      ints.push_back(item.get<int64_t>());
    }
  }
  // Bounds lists; models have four blocks, and what is made of a list is
  // checked by its caller.
  if (ints.empty() || ints.size() > 16) {
    return Error(field, "a list of 1 to 16 integers");
  }
  return ints;
}

absl::StatusOr<std::vector<int64_t>> ConfigFile::IntPerBlock(
    const std::string& field, int64_t min, int64_t max, size_t count,
    int64_t fallback) const {
  // Takes one number for all blocks, as diffusers' configs do.
  if (!Get(field).is_array()) {
    ASSIGN_OR_RETURN(const int64_t all, IntOr(field, min, max, fallback));
    return std::vector<int64_t>(count, all);
  }
  ASSIGN_OR_RETURN(std::vector<int64_t> ints, Ints(field, min, max));
  if (ints.size() != count) {
    return Error(field, absl::StrCat("one integer, or one for each of ", count,
                                     " blocks"));
  }
  return ints;
}

// Refuses an empty list: what it describes would have no blocks.
absl::StatusOr<std::vector<std::string>> ConfigFile::Strings(
    const std::string& field) const {
  const json& value = Get(field);
  std::vector<std::string> strings;
  if (value.is_array() && value.size() <= 16) {
    for (const json& item : value) {
      if (!item.is_string()) return Error(field, "a list of strings");
      strings.push_back(item.get<std::string>());
    }
  }
  if (strings.empty()) return Error(field, "a list of 1 to 16 strings");
  return strings;
}

absl::Status ConfigFile::ExpectString(const std::string& field,
                                      const std::string& value) const {
  // Takes an absent field as the usual setting, which is diffusers' default.
  const json& found = Get(field);
  if (found.is_null() || found == value) return absl::OkStatus();
  return Error(field, absl::StrCat("\"", value, "\""));
}

// Compares types, too: 0 is not false.
absl::Status ConfigFile::ExpectBool(const std::string& field,
                                    bool value) const {
  const json& found = Get(field);
  if (found.is_null() || found == value) return absl::OkStatus();
  return Error(field, value ? "true" : "false");
}

// Refuses false and 0, too: of such options only an absent one is surely off.
absl::Status ConfigFile::ExpectNull(const std::string& field) const {
  return Has(field) ? Error(field, "null") : absl::OkStatus();
}

}  // namespace tessera::model
