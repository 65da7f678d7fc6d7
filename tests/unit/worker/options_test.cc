#include "worker/options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Options Valid() {
  Options options;
  options.coordinator = "localhost:7070";
  options.models = "/models";
  return options;
}

void ExpectRefused(const Options& options, const std::string& flag) {
  EXPECT_THAT(Validate(options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(flag)));
}

TEST(OptionsTest, DefaultsWithAFolderOfModelsAreValid) {
  EXPECT_TRUE(Validate(Valid()).ok());
}

TEST(OptionsTest, BadFieldIsNamed) {
  Options options = Valid();
  options.coordinator = "localhost";
  ExpectRefused(options, "--coordinator");
  options = Valid();
  options.models = "";
  ExpectRefused(options, "--models");
  options = Valid();
  options.compute_dtype = "f32";
  ExpectRefused(options, "--compute-dtype");
  options = Valid();
  options.threads = -1;
  ExpectRefused(options, "--threads");
  options = Valid();
  options.batch = 65;
  ExpectRefused(options, "--batch");
  options = Valid();
  options.lora_cache_bytes = 0;
  ExpectRefused(options, "--lora-cache-bytes");
  options = Valid();
  options.lora_memory_bytes = -1;
  ExpectRefused(options, "--lora-memory-bytes");
}

TEST(OptionsTest, BatchOfZeroIsChosen) {
  EXPECT_EQ(ResolveBatch(0, /*gpu=*/false), 4);
  EXPECT_EQ(ResolveBatch(0, /*gpu=*/true), 16);
  EXPECT_EQ(ResolveBatch(7, /*gpu=*/false), 7);
  EXPECT_EQ(ResolveBatch(7, /*gpu=*/true), 7);
}

TEST(OptionsTest, ParsesLoraFiles) {
  EXPECT_THAT(*ParseLoraFiles(""), IsEmpty());
  EXPECT_THAT(
      *ParseLoraFiles("ink=/l/ink.safetensors,pixel=b=c"),
      ElementsAre(Pair("ink", "/l/ink.safetensors"), Pair("pixel", "b=c")));
}

TEST(OptionsTest, BadLoraFilesAreRefused) {
  for (const char* bad : {"ink", "=file", "ink=", "a=b,a=c"}) {
    EXPECT_THAT(
        ParseLoraFiles(bad),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--lora")))
        << bad;
  }
}

TEST(OptionsTest, ParsesTheLogFormat) {
  EXPECT_EQ(*ParseLogFormat("text"), LogFormat::kText);
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_THAT(ParseLogFormat("xml"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tessera::worker
