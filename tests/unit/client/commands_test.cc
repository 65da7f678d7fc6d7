#include "client/commands/commands.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/unit/client/fake_service.h"
#include "tests/unit/client/instant_clock.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() : context_{out_, err_, clock_, service_.address()} {
    prompts_ = folder_.Write("p.jsonl", "{\"prompt\":\"a\"}\n");
  }

  int Run(const std::vector<std::string>& words) {
    return RunCommandLine(words, context_);
  }

  ScratchFolder folder_;
  FakeService service_;
  InstantClock clock_;
  std::ostringstream out_;
  std::ostringstream err_;
  CommandContext context_;
  std::string prompts_;
};

TEST_F(CommandsTest, NoCommandShowsTheOverview) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("usage: tessera COMMAND"));
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("submit"));
}

TEST_F(CommandsTest, EveryCommandHasHelp) {
  for (const Command& command : AllCommands()) {
    EXPECT_EQ(Run({std::string(command.spec.name), "--help"}), 0);
  }
  EXPECT_THAT(out_.str(), HasSubstr("usage: tessera sheet DIR"));
}

TEST_F(CommandsTest, FlagNamesMeanTheSameEverywhere) {
  std::map<std::string, bool> takes_value;
  for (const Command& command : AllCommands()) {
    for (const FlagSpec& flag : command.spec.flags) {
      const bool value = !flag.value.empty();
      const auto [at, added] =
          takes_value.emplace(std::string(flag.name), value);
      EXPECT_EQ(at->second, value) << flag.name;
    }
  }
}

TEST_F(CommandsTest, UnknownCommandIsNamedWithTheNearest) {
  EXPECT_EQ(Run({"wacth", "job-1"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("wacth (did you mean watch?)"));
}

TEST_F(CommandsTest, SubmitPrintsTheJob) {
  service_.job.set_job_id("job-5");

  EXPECT_EQ(Run({"submit", prompts_, "--model", "m", "--out", "rel", "--lora",
                 "ink:0.5"}),
            0);

  EXPECT_EQ(out_.str(), "job-5\n");
  ASSERT_EQ(service_.headers.size(), 1u);
  EXPECT_EQ(service_.headers[0].model(), "m");
  EXPECT_THAT(service_.headers[0].output_uri(), StartsWith("/"));
  EXPECT_EQ(service_.headers[0].defaults().loras(0).scale(), 0.5f);
}

TEST_F(CommandsTest, RefusedSubmitNamesTheFile) {
  service_.failures = {grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                    "line 2: width: too large")};

  EXPECT_EQ(Run({"submit", prompts_, "--model", "m", "--out", "o"}), 2);

  EXPECT_EQ(err_.str(),
            "tessera: " + prompts_ + ": line 2: width: too large\n");
}

TEST_F(CommandsTest, SubmitNeedsModelAndOut) {
  EXPECT_EQ(Run({"submit", prompts_, "--out", "o"}), 2);
  EXPECT_EQ(Run({"submit", prompts_, "--model", "m"}), 2);
  EXPECT_EQ(Run({"submit", "/no/file", "--model", "m", "--out", "o"}), 2);
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(CommandsTest, WatchedSubmitEndsWithTheJob) {
  service_.job = MakeJob(v1::JOB_STATE_QUEUED, 0, 3);
  service_.watched = {{MakeJob(v1::JOB_STATE_RUNNING, 1, 3),
                       MakeJob(v1::JOB_STATE_SUCCEEDED, 3, 3)}};

  EXPECT_EQ(Run({"submit", prompts_, "--watch", "--model", "m", "--out", "o"}),
            0);

  EXPECT_THAT(err_.str(), HasSubstr("SUCCEEDED 3/3"));
  EXPECT_EQ(out_.str(), "job-1: SUCCEEDED, 3 of 3 pictures in /out\n");
}

TEST_F(CommandsTest, JobWithFailedItemsShowsThemAndExitsWithOne) {
  folder_.Write("errors.jsonl", "{\"reason\":\"not a number\"}\n");
  v1::Job job = MakeJob(v1::JOB_STATE_SUCCEEDED, 2, 3);
  job.set_output_uri("file://" + folder_.path());
  job.mutable_images()->set_failed(1);
  service_.watched = {{job}};

  EXPECT_EQ(Run({"watch", "job-1"}), 1);

  EXPECT_THAT(err_.str(), HasSubstr("not a number"));
  EXPECT_THAT(out_.str(), HasSubstr("1 failed"));
}

TEST_F(CommandsTest, JsonIsOneObjectALine) {
  service_.watched = {{MakeJob(v1::JOB_STATE_RUNNING, 1, 3),
                       MakeJob(v1::JOB_STATE_SUCCEEDED, 3, 3)}};

  EXPECT_EQ(Run({"--json", "watch", "job-1"}), 0);

  std::istringstream lines(out_.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(nlohmann::json::parse(line, nullptr, false).is_object());
  }
  EXPECT_EQ(count, 2);
}

TEST_F(CommandsTest, StatusListAndCancelShowTheJob) {
  service_.job = MakeJob(v1::JOB_STATE_RUNNING, 1, 3);

  EXPECT_EQ(Run({"status", "job-1"}), 0);
  EXPECT_EQ(Run({"list"}), 0);
  EXPECT_EQ(Run({"cancel", "job-1"}), 0);

  EXPECT_THAT(out_.str(), HasSubstr("state      RUNNING"));
  EXPECT_THAT(out_.str(), HasSubstr("1/3"));
  EXPECT_THAT(out_.str(), HasSubstr("1 of 3 pictures"));
}

TEST_F(CommandsTest, UnknownJobIsBadInput) {
  service_.failures = {grpc::Status(grpc::StatusCode::NOT_FOUND, "no job: x")};

  EXPECT_EQ(Run({"status", "x"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("no job: x"));
}

TEST_F(CommandsTest, ResultsFollowThePages) {
  for (const char* path : {"images/000000/a-0.png", "images/000001/b-0.png"}) {
    service_.images.emplace_back().set_path(path);
  }

  EXPECT_EQ(Run({"results", "job-1"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("a-0.png"));
  EXPECT_THAT(out_.str(), HasSubstr("b-0.png"));

  out_.str("");
  EXPECT_EQ(Run({"results", "job-1", "--limit", "1"}), 0);
  const std::string one = out_.str();
  EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), 1);
}

TEST_F(CommandsTest, WorkersAreListed) {
  EXPECT_EQ(Run({"workers"}), 0);
  EXPECT_THAT(err_.str(), HasSubstr("no workers"));

  service_.workers.emplace_back().set_worker_id("worker-1");
  EXPECT_EQ(Run({"workers"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("worker-1"));
}

TEST_F(CommandsTest, UnreachableServiceExitsWithThree) {
  EXPECT_EQ(Run({"list", "--coordinator", "127.0.0.1:1"}), 3);
  EXPECT_THAT(err_.str(),
              HasSubstr("cannot reach the coordinator at 127.0.0.1:1"));
}

TEST_F(CommandsTest, BadAddressIsBadUsage) {
  for (const char* bad : {"nowhere", ":70", "a:0", "a:70000", "a:x"}) {
    EXPECT_EQ(Run({"list", "--coordinator", bad}), 2) << bad;
  }
}

TEST_F(CommandsTest, SheetOfAFolderWithoutManifestIsRefused) {
  EXPECT_EQ(Run({"sheet", folder_.path()}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("no manifest"));
}

}  // namespace
}  // namespace tessera::client
