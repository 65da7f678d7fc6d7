#include "coordinator/output_folder.h"

#include <filesystem>

#include "coordinator/durable_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::HasSubstr;

TEST(OutputFolderTest, EqualFoldersCompareEqual) {
  for (const char* uri : {"/a/b", "/a/b/", "file:///a/b", "/a/./c/../b//"}) {
    EXPECT_THAT(OutputFolder(uri), IsOkAndHolds("/a/b")) << uri;
  }
}

TEST(OutputFolderTest, AnythingElseIsRefused) {
  for (const char* uri : {"", "a/b", "./a", "file://a", "s3://bucket/a", "/"}) {
    EXPECT_THAT(OutputFolder(uri), StatusIs(absl::StatusCode::kInvalidArgument))
        << uri;
  }
}

TEST(OutputFolderTest, CheckAcceptsAMissingFolderAndLeavesNoTrace) {
  testing::TemporaryFolder folder;

  EXPECT_THAT(CheckOutputFolder(folder / "a/b/c"), IsOk());
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

TEST(OutputFolderTest, FileIsNoFolder) {
  testing::TemporaryFolder folder;
  WriteText(folder / "file", "x");

  EXPECT_THAT(
      CheckOutputFolder(folder / "file"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is a file")));
  EXPECT_THAT(
      CheckOutputFolder(folder / "file/below"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("below a file")));
  EXPECT_THAT(CreateOutputFolder(folder / "file/below"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(OutputFolderTest, ManifestOfAnotherJobIsKept) {
  testing::TemporaryFolder folder;
  WriteText(folder / "out/manifest.jsonl", "{}\n");

  EXPECT_THAT(CheckOutputFolder(folder / "out"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("choose another folder")));
}

TEST(DurableFileTest, AppearsWithCommitOnly) {
  testing::TemporaryFolder folder;
  {
    auto file = DurableFile::Create(folder / "a", folder / "a.part");
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT(file->Append("half"), IsOk());
    EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));

  auto file = DurableFile::Create(folder / "a", folder / "a.part");
  const std::string large(3 << 20, 'x');
  ASSERT_THAT(file->Append(large), IsOk());
  ASSERT_THAT(file->Commit(), IsOk());
  EXPECT_EQ(ReadText(folder / "a"), large);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.part"));
}

TEST(DurableFileTest, FullDiskSaysSo) {
  testing::TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "a.part");
  auto file = DurableFile::Create(folder / "a", folder / "a.part");
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT(file->Append("x"), IsOk());

  EXPECT_THAT(file->Commit(), StatusIs(absl::StatusCode::kResourceExhausted,
                                       HasSubstr("cannot write")));
}

}  // namespace
}  // namespace tessera::coordinator
