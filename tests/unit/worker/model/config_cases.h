// Good configs with one field changed, and what must be said of it.
#ifndef TESSERA_TESTS_UNIT_WORKER_MODEL_CONFIG_CASES_H_
#define TESSERA_TESTS_UNIT_WORKER_MODEL_CONFIG_CASES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "worker/model/config_file.h"

namespace tessera::model {

// The path that configs made here are read under.
inline constexpr char kConfigPath[] = "model/config.json";

// A field, values that it must not have, and what is expected instead.
struct BadField {
  std::string field;
  std::vector<nlohmann::json> values;
  std::string expected;
};

// Returns the config of the demo model in `folder`, such as "unet".
inline nlohmann::json DemoConfig(const std::string& path) {
  const std::string text = testing::ReadText(
      absl::StrCat(TESSERA_SOURCE_DIR, "/deploy/local/models/emoji-sd/", path));
  EXPECT_NE(text, "") << path;
  return nlohmann::json::parse(text, nullptr, false);
}

// Returns `config` with `changes` merged in; null removes a field.
inline nlohmann::json With(nlohmann::json config,
                           const nlohmann::json& changes) {
  config.merge_patch(changes);
  return config;
}

// Reads `config` by `read`, one of the functions ReadUNetConfig and its like.
template <typename Read>
auto ReadJson(Read read, const nlohmann::json& config)
    -> decltype(read(std::declval<const ConfigFile&>())) {
  const auto file = ConfigFile::Parse(config.dump(), kConfigPath);
  if (!file.ok()) return file.status();
  return read(*file);
}

// Expects `good` to be refused with any of the values of a field, by a message
// that names the file, the field, what was expected and what was found.
template <typename Read>
void ExpectRefused(Read read, const nlohmann::json& good,
                   const std::vector<BadField>& fields) {
  EXPECT_THAT(ReadJson(read, good), testing::IsOk());
  for (const BadField& bad : fields) {
    for (const nlohmann::json& value : bad.values) {
      nlohmann::json config = good;
      config[bad.field] = value;
      EXPECT_THAT(ReadJson(read, config),
                  testing::StatusIs(
                      absl::StatusCode::kInvalidArgument,
                      absl::StrCat(kConfigPath, ": ", bad.field, ": expected ",
                                   bad.expected, ", got ", value.dump())))
          << bad.field << " " << value;
    }
  }
}

}  // namespace tessera::model

#endif  // TESSERA_TESTS_UNIT_WORKER_MODEL_CONFIG_CASES_H_
