#include "client/output_files.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "common/sha256.h"
#include "common/storage/folder_output_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::client {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class OutputFilesTest : public ::testing::Test {
 protected:
  // Writes a manifest of pictures, each a path and its bytes.
  void Write(const std::vector<std::pair<std::string, std::string>>& pictures) {
    std::string manifest;
    for (const auto& [path, bytes] : pictures) {
      WriteText(folder_ / ("out/" + path), bytes);
      manifest += "{\"custom_id\":\"a\",\"path\":\"" + path +
                  "\",\"sha256\":\"" + Sha256Hex(bytes) + "\"}\n";
    }
    WriteText(folder_ / "out/manifest.jsonl", manifest);
  }

  testing::TemporaryFolder folder_;
  storage::FolderOutputStore out_{folder_ / "out", "test"};
  storage::FolderOutputStore copy_{folder_ / "copy", "test"};
};

TEST_F(OutputFilesTest, IntactOutputHasNoProblems) {
  Write({{"images/000000/a-0.png", "one"}, {"images/000001/b-0.png", "two"}});

  const auto report = VerifyOutput(out_);

  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->pictures, 2);
  EXPECT_EQ(report->intact, 2);
  EXPECT_THAT(report->problems, ElementsAre());
}

TEST_F(OutputFilesTest, ChangedMissingAndUnnamedPicturesAreTold) {
  Write({{"images/000000/a.png", "one"},
         {"images/000000/b.png", "two"},
         {"images/000000/c.png", "three"}});
  WriteText(folder_ / "out/images/000000/a.png", "One");
  std::filesystem::remove(folder_ / "out/images/000000/b.png");
  WriteText(folder_ / "out/images/000009/x.png", "stray");

  const auto report = VerifyOutput(out_);

  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->intact, 1);
  EXPECT_EQ(report->damaged, 2);
  EXPECT_EQ(report->unnamed, 1);
  EXPECT_THAT(report->problems,
              UnorderedElementsAre(HasSubstr(Sha256Hex("One")),
                                   HasSubstr("b.png: missing"),
                                   HasSubstr("x.png: not in the manifest")));
}

TEST_F(OutputFilesTest, ManifestThatLeadsElsewhereIsRefused) {
  for (const char* path :
       {"../secret", "/etc/passwd", "images/../../x", "job.json", "images/"}) {
    WriteText(folder_ / "out/manifest.jsonl",
              "{\"path\":\"" + std::string(path) + "\",\"sha256\":\"0\"}\n");

    EXPECT_THAT(VerifyOutput(out_),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line 1")))
        << path;
    EXPECT_THAT(BringFile(out_, copy_, {path, "0"}),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << path;
  }
  for (const char* line : {"{}", "[]", "not json", "{\"path\":1}"}) {
    WriteText(folder_ / "out/manifest.jsonl", std::string(line) + "\n");
    EXPECT_THAT(VerifyOutput(out_), StatusIs(absl::StatusCode::kDataLoss))
        << line;
  }
}

TEST_F(OutputFilesTest, OutputWithoutAManifestIsNotFound) {
  EXPECT_THAT(VerifyOutput(out_), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(OutputFilesTest, FileIsBroughtOnceAndAgainWhenItIsDamaged) {
  const std::string bytes(3 << 20, 'p');
  Write({{"images/000000/a.png", bytes}});
  const ManifestEntry entry{"images/000000/a.png", Sha256Hex(bytes)};

  EXPECT_THAT(BringFile(out_, copy_, entry), IsOkAndHolds(true));
  EXPECT_EQ(ReadText(folder_ / "copy/images/000000/a.png"), bytes);
  EXPECT_THAT(BringFile(out_, copy_, entry), IsOkAndHolds(false));

  WriteText(folder_ / "copy/images/000000/a.png", "half");
  EXPECT_THAT(BringFile(out_, copy_, entry), IsOkAndHolds(true));
  EXPECT_EQ(ReadText(folder_ / "copy/images/000000/a.png"), bytes);
}

TEST_F(OutputFilesTest, DamagedSourceIsNotBrought) {
  Write({{"images/000000/a.png", "bytes"}});

  EXPECT_THAT(
      BringFile(out_, copy_, {"images/000000/a.png", Sha256Hex("other")}),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.png")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "copy/images/000000/a.png"));
}

TEST_F(OutputFilesTest, SealedFilesAreBroughtWhereThereAreAny) {
  Write({{"images/000000/a.png", "bytes"}});

  EXPECT_THAT(BringWhole(out_, copy_, "manifest.jsonl"), IsOk());
  EXPECT_THAT(BringWhole(out_, copy_, "errors.jsonl"), IsOk());

  EXPECT_EQ(ReadText(folder_ / "copy/manifest.jsonl"),
            ReadText(folder_ / "out/manifest.jsonl"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "copy/errors.jsonl"));
}

}  // namespace
}  // namespace tessera::client
