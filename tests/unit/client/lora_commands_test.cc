#include <sstream>
#include <string>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/lora.h"
#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/unit/client/fake_lora_service.h"
#include "tests/unit/client/instant_clock.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LoraCommandsTest : public ::testing::Test {
 protected:
  LoraCommandsTest() : context_{out_, err_, clock_, service_.address()} {
    file_ = folder_.Write("ink.safetensors", "bytes");
  }

  int Run(const std::vector<std::string>& words) {
    return RunCommandLine(words, context_);
  }

  ScratchFolder folder_;
  FakeLoraService service_;
  InstantClock clock_;
  std::ostringstream out_;
  std::ostringstream err_;
  CommandContext context_;
  std::string file_;
};

TEST_F(LoraCommandsTest, AloneItListsItsActions) {
  EXPECT_EQ(Run({"lora"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("usage: tessera lora COMMAND"));
  EXPECT_EQ(Run({"lora", "--help"}), 0);
  for (const char* action : {"push", "list", "rm"}) {
    EXPECT_THAT(out_.str(), HasSubstr(std::string("\n  ") + action + " "));
  }
}

TEST_F(LoraCommandsTest, EveryActionHasHelp) {
  for (const Command& action : LoraCommand().actions) {
    const std::string name(action.spec.name);
    EXPECT_EQ(Run({"lora", name.substr(5), "--help"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("usage: tessera " + name));
  }
}

TEST_F(LoraCommandsTest, UnknownActionIsNamedWithTheNearest) {
  EXPECT_EQ(Run({"lora", "psuh", "a", "b"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("psuh (did you mean push?)"));
}

TEST_F(LoraCommandsTest, PushPrintsTheVersion) {
  EXPECT_EQ(Run({"lora", "push", "ink", file_}), 0);

  EXPECT_EQ(out_.str(), "ink@" + Sha256Hex("bytes") + "\n");
  EXPECT_THAT(err_.str(), HasSubstr("sent 5 B / 5 B 100%"));
  EXPECT_EQ(service_.held, "bytes");
}

TEST_F(LoraCommandsTest, PushWithJsonPrintsOneObject) {
  EXPECT_EQ(Run({"--json", "lora", "push", "ink", file_}), 0);

  const auto json = nlohmann::json::parse(out_.str(), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["name"], "ink");
  EXPECT_EQ(json["size_bytes"], 5);
  EXPECT_EQ(err_.str(), "");
}

TEST_F(LoraCommandsTest, PushNeedsNameAndFile) {
  EXPECT_EQ(Run({"lora", "push", "ink"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("argument is missing: NAME FILE"));
  EXPECT_EQ(Run({"lora", "push", "ink", file_, "more"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("unexpected argument: more"));
  EXPECT_EQ(Run({"lora", "push", "ink", "/no/file"}), 2);
  EXPECT_TRUE(service_.headers.empty());
}

TEST_F(LoraCommandsTest, RefusedPushIsBadInput) {
  service_.failures = {grpc::Status::OK,
                       grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                    "name: must be 1 to 128")};

  EXPECT_EQ(Run({"lora", "push", "a/b", file_}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("tessera: name: must be 1 to 128"));
}

TEST_F(LoraCommandsTest, ListFollowsThePages) {
  for (const char* name : {"ink", "oil", "pixel"}) {
    v1::Lora& lora = service_.loras.emplace_back();
    lora.set_name(name);
    lora.set_sha256(Sha256Hex(name));
    lora.set_size_bytes(1'500'000);
    lora.set_layers(12);
    lora.set_dialect("kohya");
  }
  service_.loras[1].set_in_use(true);

  EXPECT_EQ(Run({"lora", "list"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr(Sha256Hex("ink").substr(0, 12)));
  EXPECT_THAT(out_.str(), HasSubstr("1.5 MB   12 layers  kohya  in use\n"));
  EXPECT_THAT(out_.str(), HasSubstr("pixel"));

  out_.str("");
  EXPECT_EQ(Run({"lora", "list", "--json", "--limit", "2"}), 0);
  std::istringstream lines(out_.str());
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    names.push_back(nlohmann::json::parse(line)["name"]);
  }
  EXPECT_THAT(names, ElementsAre("ink", "oil"));
}

TEST_F(LoraCommandsTest, RmDeletesANameOrAVersion) {
  const std::string version = "ink@" + Sha256Hex("bytes");

  EXPECT_EQ(Run({"lora", "rm", "ink"}), 0);
  EXPECT_EQ(Run({"lora", "rm", version}), 0);

  EXPECT_THAT(service_.deleted, ElementsAre("ink", version));
}

TEST_F(LoraCommandsTest, UsedLoraIsNotRemoved) {
  service_.failures = {grpc::Status(grpc::StatusCode::FAILED_PRECONDITION,
                                    "LoRA is used by an unfinished job: ink")};

  EXPECT_EQ(Run({"lora", "rm", "ink"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("used by an unfinished job"));
}

TEST_F(LoraCommandsTest, UnreachableServiceExitsWithThree) {
  EXPECT_EQ(Run({"lora", "list", "--coordinator", "127.0.0.1:1"}), 3);
  EXPECT_EQ(Run({"lora", "push", "ink", file_, "--coordinator", "127.0.0.1:1"}),
            3);
}

}  // namespace
}  // namespace tessera::client
