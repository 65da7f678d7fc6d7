#include <sstream>
#include <string>
#include <vector>

#include "client/commands/commands.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/unit/client/instant_clock.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kSource = TESSERA_SOURCE_DIR;
const std::string kModel = kSource + "/deploy/local/models/emoji-sd";
const std::string kInk = kSource + "/tests/golden/loras/ink-kohya.safetensors";

class LoraCheckTest : public ::testing::Test {
 protected:
  LoraCheckTest() : context_{out_, err_, clock_, ""} {}

  int Run(const std::vector<std::string>& words) {
    return RunCommandLine(words, context_);
  }

  // Writes a LoRA of one key, of one float.
  std::string Foreign() {
    const std::string header =
        R"({"lora_unet_nowhere.diff":{"dtype":"F32","shape":[1],)"
        R"("data_offsets":[0,4]}})";
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(header.size());
    return folder_.Write("foreign.safetensors",
                         bytes + header + std::string(4, '\0'));
  }

  ScratchFolder folder_;
  InstantClock clock_;
  std::ostringstream out_;
  std::ostringstream err_;
  CommandContext context_;
};

TEST_F(LoraCheckTest, LoraOfTheModelIsReported) {
  EXPECT_EQ(Run({"lora", "check", kInk, "--model", kModel}), 0);

  EXPECT_THAT(out_.str(), AllOf(HasSubstr("dialect  kohya\n"),
                                HasSubstr("396 of 396 matched"),
                                HasSubstr("kinds    132 LoRA\n")));
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(LoraCheckTest, ReportIsJsonOnDemand) {
  EXPECT_EQ(Run({"lora", "check", kInk, "--model", kModel, "--json"}), 0);

  const auto report = nlohmann::json::parse(out_.str(), nullptr, false);
  EXPECT_EQ(report["fits"], true);
  EXPECT_EQ(report["matched_keys"], 396);
  EXPECT_EQ(report["layers_by_kind"]["LoRA"], 132);
}

TEST_F(LoraCheckTest, LoraOfAnotherModelIsRefusedWithItsReport) {
  EXPECT_EQ(Run({"lora", "check", Foreign(), "--model", kModel}), 2);

  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr("0 of 1 matched"),
                    HasSubstr("unmatched  lora_unet_nowhere.diff: the model "
                              "has no such layer")));
  EXPECT_THAT(err_.str(), HasSubstr("the LoRA does not fit the model"));
}

TEST_F(LoraCheckTest, FilesThatCannotBeReadAreRefused) {
  const std::string text = folder_.Write("text", "no LoRA");

  EXPECT_EQ(Run({"lora", "check", text, "--model", kModel}), 2);
  EXPECT_EQ(Run({"lora", "check", "/nowhere", "--model", kModel}), 2);
  EXPECT_EQ(Run({"lora", "check", kInk, "--model", "/nowhere"}), 2);
  EXPECT_EQ(Run({"lora", "check", kInk}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("--model is required"));
  EXPECT_THAT(out_.str(), IsEmpty());
}

}  // namespace
}  // namespace tessera::client
