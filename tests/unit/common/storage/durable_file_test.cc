#include "common/storage/durable_file.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::storage {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

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
}  // namespace tessera::storage
