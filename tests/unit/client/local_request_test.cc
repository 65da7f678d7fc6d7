#include "client/local_request.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LocalRequestTest : public ::testing::Test {
 protected:
  LocalRequestTest() {
    prompts_ = folder_.Write("p.jsonl", "{\"prompt\":\"a\"}\n");
    folder_.Write("models/tiny-sd/model_index.json", "{}");
    model_ = folder_.File("models/tiny-sd");
  }

  absl::StatusOr<LocalRequest> Make(std::vector<std::string> more) {
    std::vector<std::string> words = {prompts_, "--model", model_, "--out",
                                      folder_.File("out")};
    words.insert(words.end(), more.begin(), more.end());
    const CommandSpec spec{"local", "PROMPTS", "", LocalFlags()};
    const auto arguments = Arguments::Parse(spec, words);
    if (!arguments.ok()) return arguments.status();
    return MakeLocalRequest(*arguments, 8);
  }
  std::string Refusal(std::vector<std::string> more) {
    const auto request = Make(std::move(more));
    EXPECT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(request.status().message());
  }

  ScratchFolder folder_;
  std::string prompts_;
  std::string model_;
};

TEST_F(LocalRequestTest, DefaultsShareTheCores) {
  const auto request = Make({});

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->workers, 2);
  EXPECT_EQ(request->threads, 4);
  EXPECT_EQ(request->header.model(), "tiny-sd");
  EXPECT_EQ(request->model_folder, model_);
  EXPECT_FALSE(request->out_before.folder);
}

TEST_F(LocalRequestTest, MoreWorkersThanCoresStillGetAThread) {
  EXPECT_EQ(Make({"--workers", "20"})->threads, 1);
  EXPECT_EQ(Make({"--workers", "1", "--threads", "3"})->threads, 3);
}

TEST_F(LocalRequestTest, SlashAfterTheModelIsIgnored) {
  EXPECT_EQ(Make({"--model", model_ + "/"})->header.model(), "tiny-sd");
}

TEST_F(LocalRequestTest, LorasAreKnownToTheJob) {
  folder_.Write("ink.safetensors", "x");
  const std::string file = folder_.File("ink.safetensors");

  const auto request = Make({"--lora", "ink=" + file});

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_THAT(request->header.known_loras(), ElementsAre("ink"));
  EXPECT_THAT(request->loras, ElementsAre("ink=" + file));
  EXPECT_THAT(Refusal({"--lora", "ink=" + file, "--lora", "ink=" + file}),
              HasSubstr("given twice: ink"));
}

TEST_F(LocalRequestTest, RefusalsNameWhatIsWrong) {
  EXPECT_THAT(Refusal({"--model", "/no-such-model"}),
              HasSubstr("no-such-model"));
  EXPECT_THAT(Refusal({"--model", prompts_}), HasSubstr("no such folder"));
  EXPECT_THAT(Refusal({"--workers", "0"}), HasSubstr("--workers"));
  EXPECT_THAT(Refusal({"--lora", "ink"}), HasSubstr("NAME=FILE"));
  EXPECT_THAT(Refusal({"--lora", "ink=/no/file"}), HasSubstr("/no/file"));
  EXPECT_THAT(Refusal({"--pipeline-stages", "3", "--workers", "2"}),
              HasSubstr("more stages than --workers: 3, there are 2"));
  EXPECT_THAT(Refusal({"--pipeline-stages", "0"}),
              HasSubstr("--pipeline-stages"));
}

TEST_F(LocalRequestTest, AWorkerAStageIsStarted) {
  EXPECT_EQ(Make({"--pipeline-stages", "1"})->workers, 2);
  EXPECT_EQ(Make({"--pipeline-stages", "3"})->workers, 3);
  EXPECT_EQ(Make({"--pipeline-stages", "3"})->header.pipeline_stages(), 3);
}

TEST_F(LocalRequestTest, ModelNameThatTheServiceWouldRefuseIsExplained) {
  folder_.Write("models/tiny sd/model_index.json", "{}");

  EXPECT_THAT(Refusal({"--model", folder_.File("models/tiny sd")}),
              HasSubstr("the folder's name"));
  folder_.Write("models/.tiny-sd/model_index.json", "{}");
  EXPECT_THAT(Refusal({"--model", folder_.File("models/.tiny-sd")}),
              HasSubstr("not start with a dot"));
}

TEST_F(LocalRequestTest, OutputMustBeAFolderWithoutAFinishedJob) {
  EXPECT_THAT(Refusal({"--out", prompts_}), HasSubstr("not a folder"));
  EXPECT_THAT(Refusal({"--out", prompts_ + "/below"}),
              HasSubstr("not a folder"));

  folder_.Write("done/manifest.jsonl", "");
  EXPECT_THAT(Refusal({"--out", folder_.File("done")}),
              HasSubstr("already holds a finished job"));

  folder_.Write("empty/other", "");
  EXPECT_TRUE(Make({"--out", folder_.File("empty")})->out_before.folder);
}

}  // namespace
}  // namespace tessera::client
