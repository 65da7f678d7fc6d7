// What only a store in a folder can get wrong.
#include "common/storage/folder_output_store.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::storage {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::HasSubstr;

constexpr char kFolder[] = "images/000007";
constexpr char kPath[] = "images/000007/a-0.png";

class FolderOutputStoreTest : public ::testing::Test {
 protected:
  bool IsThere(const std::string& path) {
    return std::filesystem::exists(folder_ / path);
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<FolderOutputStore> store_ =
      std::make_unique<FolderOutputStore>(folder_.path(), "w");
};

TEST_F(FolderOutputStoreTest, WriterLeavesItsFileAndNothingElse) {
  WriteText(folder_ / ".tessera-tmp/w/b-0.png", "half of an earlier picture");
  WriteText(folder_ / ".tessera-tmp/other/b-0.png", "in the making");
  ASSERT_THAT(store_->Prepare(kFolder), IsOk());

  ASSERT_THAT(store_->Put(kPath, "bytes"), IsOk());
  store_.reset();

  EXPECT_EQ(ReadText(folder_ / kPath), "bytes");
  EXPECT_FALSE(IsThere(".tessera-tmp/w"));
  EXPECT_TRUE(IsThere(".tessera-tmp/other/b-0.png"));
}

TEST_F(FolderOutputStoreTest, FailedWriteLeavesNothing) {
  ASSERT_THAT(store_->Prepare(kFolder), IsOk());
  std::filesystem::create_directories(folder_ / (std::string(kPath) + "/x"));

  const absl::Status status = store_->Put(kPath, "bytes").status();

  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot rename file"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / ".tessera-tmp/w"));
}

TEST_F(FolderOutputStoreTest, RemovedFoldersAreNotFound) {
  ASSERT_THAT(store_->Prepare(kFolder), IsOk());
  std::filesystem::remove_all(folder_ / ".tessera-tmp");

  EXPECT_THAT(store_->Put(kPath, "bytes"),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(FolderOutputStoreTest, FileInTheWayOfAFolderIsAnError) {
  WriteText(folder_ / "images", "a file");

  const absl::Status status = store_->Prepare(kFolder);

  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot create folder"));
}

TEST_F(FolderOutputStoreTest, EmptyFolderGoesWithItsLastFile) {
  ASSERT_THAT(store_->Prepare(kFolder), IsOk());
  ASSERT_THAT(store_->Put(kPath, "bytes"), IsOk());

  ASSERT_THAT(store_->Remove(kPath), IsOk());

  EXPECT_FALSE(IsThere(kFolder));
}

TEST_F(FolderOutputStoreTest, ListLeavesOutWhatIsInTheMaking) {
  ASSERT_THAT(store_->Prepare(kFolder), IsOk());
  WriteText(folder_ / ".tessera-tmp/w/b-0.png", "half");
  ASSERT_THAT(store_->Put(kPath, "bytes"), IsOk());

  EXPECT_EQ(*store_->List(""), std::vector<std::string>{kPath});
}

}  // namespace
}  // namespace tessera::storage
