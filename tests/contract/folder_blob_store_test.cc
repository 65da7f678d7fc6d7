// What only a store in a folder can get wrong.
#include "common/folder_blob_store.h"

#include <filesystem>
#include <string>

#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FolderBlobStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<FolderBlobStore> Open() {
    return FolderBlobStore::Open(folder_ / "blobs", clock_).value();
  }

  testing::TemporaryFolder folder_;
  testing::FakeClock clock_;
  const std::string digest_ = Sha256Hex("text");
};

// The kernel's full device stands for the disk: every write to it fails so.
TEST_F(FolderBlobStoreTest, FullDiskIsResourceExhausted) {
  const auto store = Open();
  std::filesystem::create_symlink("/dev/full",
                                  folder_ / ("blobs/uploads/" + digest_));

  EXPECT_THAT(store->Append(digest_, 0, "text"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("uploads/" + digest_)));
}

// A crash after the bytes were written and before the rename.
TEST_F(FolderBlobStoreTest, UploadOfACrashedProcessIsPublishedLater) {
  WriteText(folder_ / ("blobs/uploads/" + digest_), "text");
  const auto store = Open();

  ASSERT_THAT(store->UploadedBytes(digest_), IsOkAndHolds(4));
  ASSERT_THAT(store->Verify(digest_, 4), IsOk());
  ASSERT_THAT(store->Publish(digest_), IsOk());

  EXPECT_THAT(store->List(), IsOkAndHolds(ElementsAre(BlobInfo{digest_, 4})));
  EXPECT_FALSE(std::filesystem::exists(folder_ / ("blobs/uploads/" + digest_)));
}

TEST_F(FolderBlobStoreTest, FilesThatAreNotOursAreLeftAlone) {
  const auto store = Open();
  WriteText(folder_ / "blobs/README", "keep");
  WriteText(folder_ / "blobs/uploads/notes", "keep");
  clock_.Advance(absl::Hours(24 * 365 * 100));

  EXPECT_THAT(store->List(), IsOkAndHolds(ElementsAre()));
  EXPECT_THAT(store->ExpireUploads(absl::Hours(1)), IsOkAndHolds(0));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "blobs/uploads/notes"));
}

TEST_F(FolderBlobStoreTest, FolderThatCannotBeMadeIsAnError) {
  WriteText(folder_ / "blobs", "a file");

  EXPECT_FALSE(FolderBlobStore::Open(folder_ / "blobs", clock_).ok());
}

TEST_F(FolderBlobStoreTest, EmptyUploadHasTheDigestOfNothing) {
  const auto store = Open();

  EXPECT_THAT(store->Verify(Sha256Hex(""), 0), IsOk());
  EXPECT_THAT(store->Verify(digest_, 0),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tessera
