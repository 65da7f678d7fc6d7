// The fields of a config.json, checked as they are read.
#ifndef TESSERA_WORKER_MODEL_CONFIG_FILE_H_
#define TESSERA_WORKER_MODEL_CONFIG_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace tessera::model {

// One JSON object. Readers return INVALID_ARGUMENT "path: field: what was
// expected" for a field of another type or range; a field that is absent or
// null takes the fallback. Immutable.
class ConfigFile {
 public:
  // Reads `path`. Errors: NOT_FOUND, or INVALID_ARGUMENT for something that is
  // not a JSON object or nests deeper than configs do.
  static absl::StatusOr<ConfigFile> Open(const std::string& path);

  // Takes `text` as the contents of `path`.
  static absl::StatusOr<ConfigFile> Parse(const std::string& text,
                                          const std::string& path);

  // Says whether the field is there and not null.
  bool Has(const std::string& field) const;

  // Return the field as a whole number in [min, max].
  absl::StatusOr<int64_t> Int(const std::string& field, int64_t min,
                              int64_t max) const;  // required
  absl::StatusOr<int64_t> IntOr(const std::string& field, int64_t min,
                                int64_t max, int64_t fallback) const;
  // Return the field as what their name says.
  absl::StatusOr<double> NumberOr(const std::string& field,
                                  double fallback) const;  // finite
  absl::StatusOr<float> FloatOr(const std::string& field,
                                double fallback) const;  // fits f32
  absl::StatusOr<float> PositiveOr(const std::string& field,
                                   double fallback) const;  // in f32, too
  absl::StatusOr<bool> BoolOr(const std::string& field, bool fallback) const;
  absl::StatusOr<std::string> StringOr(const std::string& field,
                                       const std::string& fallback) const;

  // The text of a token: a string, or an object that holds it as "content", as
  // tokenizers write theirs; required.
  absl::StatusOr<std::string> TokenText(const std::string& field) const;

  // A list of at least one integer in range; required.
  absl::StatusOr<std::vector<int64_t>> Ints(const std::string& field,
                                            int64_t min, int64_t max) const;
  // An integer for all, or a list of `count`; absent: `fallback` for all.
  absl::StatusOr<std::vector<int64_t>> IntPerBlock(const std::string& field,
                                                   int64_t min, int64_t max,
                                                   size_t count,
                                                   int64_t fallback) const;
  // A list of at least one string; required.
  absl::StatusOr<std::vector<std::string>> Strings(
      const std::string& field) const;

  // Returns an error unless the field, if present, equals `value`: for options
  // that only exist in their usual setting here.
  absl::Status ExpectString(const std::string& field,
                            const std::string& value) const;
  absl::Status ExpectBool(const std::string& field, bool value) const;
  absl::Status ExpectNull(const std::string& field) const;

  // Returns "path: field: expected …" as INVALID_ARGUMENT.
  absl::Status Error(const std::string& field,
                     const std::string& expected) const;

  const std::string& path() const { return path_; }

 private:
  ConfigFile(nlohmann::json json, std::string path);

  // Returns the field's value, or null when absent.
  const nlohmann::json& Get(const std::string& field) const;

  // Always an object.
  nlohmann::json json_;
  // Named in every error.
  std::string path_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_CONFIG_FILE_H_
