#include "coordinator/lora_resolver.h"

#include <map>
#include <string>

#include "coordinator/prompt_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kOld(64, '1');
const std::string kNew(64, '2');

// A registry with one name, "ink", of two versions.
class LoraResolverTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Look(const LoraName& name) {
    ++lookups_;
    if (!trouble_.ok()) return trouble_;
    if (name.name != "ink") return absl::NotFoundError("unknown LoRA");
    if (name.sha256.empty()) return newest_;
    if (name.sha256 == kOld || name.sha256 == kNew) return name.sha256;
    return absl::NotFoundError("unknown version");
  }

  LoraUse Resolved(const std::string& name) {
    LoraUse use{.name = name, .scale = 0.5f};
    EXPECT_THAT(resolver_.Resolve(given_, use), IsOk());
    return use;
  }

  absl::Status Error(const std::string& name) {
    LoraUse use{.name = name};
    return resolver_.Resolve(given_, use);
  }

  // Runs a prompts file through; returns its error.
  absl::Status Submit(const std::string& lines) {
    PromptFileOptions options;
    options.line.known_loras = given_;
    options.line.registry = &resolver_;
    PromptFile file(options, [&](PromptLine line) {
      for (const LoraUse& use : line.loras) used_.push_back(use.sha256);
      return absl::OkStatus();
    });
    const absl::Status added = file.Add(lines);
    return added.ok() ? file.Finish() : added;
  }

  std::string newest_ = kNew;
  absl::Status trouble_;
  int lookups_ = 0;
  absl::flat_hash_set<std::string> given_ = {"pixel"};
  LoraResolver resolver_{[this](const LoraName& name) { return Look(name); }};
  std::vector<std::string> used_;
};

TEST_F(LoraResolverTest, NamesBecomeDigests) {
  EXPECT_EQ(Resolved("ink"), (LoraUse{"ink", 0.5f, kNew}));
  EXPECT_EQ(Resolved("ink@" + kOld), (LoraUse{"ink", 0.5f, kOld}));
}

TEST_F(LoraResolverTest, GivenNamesHaveNoDigest) {
  EXPECT_EQ(Resolved("pixel"), (LoraUse{"pixel", 0.5f, ""}));
  EXPECT_THAT(resolver_.pins(), IsEmpty());

  given_.insert("ink");
  EXPECT_EQ(Resolved("ink").sha256, "");
}

TEST_F(LoraResolverTest, AJobSeesOneMeaningOfAName) {
  EXPECT_EQ(Resolved("ink").sha256, kNew);
  newest_ = kOld;

  EXPECT_EQ(Resolved("ink").sha256, kNew);
  EXPECT_EQ(lookups_, 1);
}

TEST_F(LoraResolverTest, PinsAreEachVersionOnce) {
  Resolved("ink");
  Resolved("ink@" + kNew);
  Resolved("ink@" + kOld);

  EXPECT_THAT(resolver_.pins(),
              ElementsAre(LoraPin{"ink", kOld}, LoraPin{"ink", kNew}));
}

TEST_F(LoraResolverTest, WhatIsUnknownOrNoNameIsRefused) {
  EXPECT_THAT(Error("oil"), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("no LoRA named \"oil\"")));
  EXPECT_THAT(Error("ink@" + std::string(64, '3')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("no LoRA named \"ink@333")));
  EXPECT_THAT(Error("a/../b"), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("must be 1 to 128")));
  EXPECT_THAT(Error("ink@latest"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("64 lower-case hexadecimal")));
}

TEST_F(LoraResolverTest, LinesOfAFileAreResolved) {
  ASSERT_THAT(Submit("{\"prompt\":\"a\",\"loras\":[{\"name\":\"ink\"},"
                     "{\"name\":\"pixel\"},{\"name\":\"ink@" +
                     kOld + "\"}]}"),
              IsOk());

  EXPECT_THAT(used_, ElementsAre(kNew, "", kOld));
}

TEST_F(LoraResolverTest, OneVersionCalledTwoWaysIsNamedTwice) {
  EXPECT_THAT(Submit("{\"prompt\":\"a\",\"loras\":[{\"name\":\"ink\"},"
                     "{\"name\":\"ink@" +
                     kNew + "\"}]}"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("line 1: loras: \"ink\" is named twice")));
}

// The lines may be good: the client is to try again, not to mend its file.
TEST_F(LoraResolverTest, TroubleOfTheRegistryIsNotTheLinesFault) {
  trouble_ = absl::UnavailableError("store is busy");

  EXPECT_THAT(Submit("{\"prompt\":\"a\",\"loras\":[{\"name\":\"ink\"}]}\n"
                     "{\"prompt\":\"b\"}\n"),
              StatusIs(absl::StatusCode::kUnavailable, "store is busy"));
}

}  // namespace
}  // namespace tessera::coordinator
