#include "coordinator/output_folder.h"

#include <filesystem>

#include "common/storage/folder_output_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::HasSubstr;

// Checks a folder as a new job's output.
absl::Status Check(const std::string& folder) {
  storage::FolderOutputStore store(folder, "writer");
  return CheckOutput(folder, store);
}

TEST(OutputFolderTest, CheckAcceptsAMissingFolderAndLeavesNoTrace) {
  testing::TemporaryFolder folder;

  EXPECT_THAT(Check(folder / "a/b/c"), IsOk());
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

TEST(OutputFolderTest, FileIsNoFolder) {
  testing::TemporaryFolder folder;
  WriteText(folder / "file", "x");

  EXPECT_THAT(
      Check(folder / "file"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is a file")));
  EXPECT_THAT(
      Check(folder / "file/below"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("below a file")));
  EXPECT_THAT(CreateOutput(folder / "file/below"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(OutputFolderTest, ManifestOfAnotherJobIsKept) {
  testing::TemporaryFolder folder;
  WriteText(folder / "out/manifest.jsonl", "{}\n");

  EXPECT_THAT(Check(folder / "out"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("choose another")));
}

}  // namespace
}  // namespace tessera::coordinator
