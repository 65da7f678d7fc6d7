// What every blob store promises.
#include "common/blob_store.h"

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/folder_blob_store.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "common/storage/output_places.h"
#include "common/storage/s3_blob_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Reads the environment that tests/storage/run.py makes.
std::optional<std::string> Variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// `open` opens a store that keeps what it needs in a folder of this machine;
// again after a restart.
struct StoreCase {
  std::string name;
  bool in_bucket = false;
  std::function<absl::StatusOr<std::unique_ptr<BlobStore>>(
      const std::string& folder, storage::S3Client& s3, Clock& clock)>
      open;
};

class BlobStoreTest : public ::testing::TestWithParam<StoreCase> {
 protected:
  void SetUp() override {
    if (GetParam().in_bucket && !Variable("TESSERA_TEST_S3").has_value()) {
      GTEST_SKIP() << "no server of S3; run by tests/storage/run.py";
    }
    Restart();
  }

  void Restart() {
    store_.reset();
    store_ = GetParam().open(folder_ / "blobs", s3_.client(), clock_).value();
  }

  // Takes `bytes` all the way from an upload to a blob.
  absl::Status Put(const std::string& bytes) {
    const std::string digest = Sha256Hex(bytes);
    absl::Status status = store_->Append(digest, 0, bytes);
    if (status.ok()) {
      status =
          store_->Verify(digest, static_cast<int64_t>(bytes.size())).status();
    }
    return status.ok() ? store_->Publish(digest) : status;
  }

  absl::StatusOr<std::string> ReadAll(const std::string& digest) {
    const auto reader = store_->Open(digest);
    if (!reader.ok()) return reader.status();
    return (*reader)->Read(0, (*reader)->size());
  }

  testing::TemporaryFolder folder_;
  testing::FakeClock clock_;
  storage::S3Access s3_{Variable, 1, RealClock()};
  std::unique_ptr<BlobStore> store_;
  const std::string text_ = std::string("a LoRA\0of bytes", 15);
  const std::string digest_ = Sha256Hex(text_);
};

TEST_P(BlobStoreTest, StartsEmpty) {
  EXPECT_THAT(store_->List(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(0));
  EXPECT_THAT(store_->Open(digest_), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(BlobStoreTest, UploadBecomesABlobOnlyWhenItIsPublished) {
  ASSERT_THAT(store_->Append(digest_, 0, text_.substr(0, 6)), IsOk());
  ASSERT_THAT(store_->Append(digest_, 6, text_.substr(6)), IsOk());
  const auto path = store_->Verify(digest_, 15);
  ASSERT_THAT(path, IsOk());
  EXPECT_EQ(ReadText(*path), text_);
  EXPECT_THAT(store_->Open(digest_), StatusIs(absl::StatusCode::kNotFound));

  ASSERT_THAT(store_->Publish(digest_), IsOk());

  EXPECT_THAT(ReadAll(digest_), IsOkAndHolds(text_));
  EXPECT_THAT(store_->List(), IsOkAndHolds(ElementsAre(BlobInfo{digest_, 15})));
  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(0));
}

TEST_P(BlobStoreTest, BlobsAndUploadsSurviveARestart) {
  ASSERT_THAT(Put(text_), IsOk());
  const std::string other = Sha256Hex("other");
  ASSERT_THAT(store_->Append(other, 0, "oth"), IsOk());

  Restart();

  EXPECT_THAT(ReadAll(digest_), IsOkAndHolds(text_));
  EXPECT_THAT(store_->UploadedBytes(other), IsOkAndHolds(3));
  ASSERT_THAT(store_->Append(other, 3, "er"), IsOk());
  ASSERT_THAT(store_->Verify(other, 5), IsOk());
  ASSERT_THAT(store_->Publish(other), IsOk());
  EXPECT_THAT(ReadAll(other), IsOkAndHolds("other"));
}

TEST_P(BlobStoreTest, AppendGoesOnExactlyWhereTheUploadStopped) {
  ASSERT_THAT(store_->Append(digest_, 0, "abc"), IsOk());

  EXPECT_THAT(store_->Append(digest_, 2, "x"),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("at byte 3")));
  EXPECT_THAT(store_->Append(digest_, 4, "x"),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(3));
}

TEST_P(BlobStoreTest, TruncateForgetsTheEndAndNeverGrows) {
  ASSERT_THAT(store_->Append(digest_, 0, "abcdef"), IsOk());

  EXPECT_THAT(store_->Truncate(digest_, 100), IsOk());
  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(6));
  EXPECT_THAT(store_->Truncate(digest_, 2), IsOk());
  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(2));
  EXPECT_THAT(store_->Truncate(Sha256Hex("unknown"), 0), IsOk());
}

TEST_P(BlobStoreTest, IncompleteUploadIsRefusedAndKept) {
  ASSERT_THAT(store_->Append(digest_, 0, text_.substr(0, 6)), IsOk());

  EXPECT_THAT(
      store_->Verify(digest_, 15),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("6 of 15 bytes")));
  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(6));
}

TEST_P(BlobStoreTest, WrongBytesAreRefusedAndForgotten) {
  const std::string wrong = "A LoRA of byte!";
  ASSERT_THAT(store_->Append(digest_, 0, wrong), IsOk());

  EXPECT_THAT(store_->Verify(digest_, 15),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(Sha256Hex(wrong))));
  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(0));
  EXPECT_THAT(store_->List(), IsOkAndHolds(IsEmpty()));
}

TEST_P(BlobStoreTest, PublishingABlobAgainIsHarmless) {
  ASSERT_THAT(Put(text_), IsOk());
  ASSERT_THAT(Put(text_), IsOk());

  EXPECT_THAT(ReadAll(digest_), IsOkAndHolds(text_));
}

TEST_P(BlobStoreTest, ReadsAnyPartOfABlob) {
  ASSERT_THAT(Put(text_), IsOk());
  const auto reader = store_->Open(digest_);
  ASSERT_THAT(reader, IsOk());

  EXPECT_EQ((*reader)->size(), 15);
  EXPECT_THAT((*reader)->Read(2, 4), IsOkAndHolds("LoRA"));
  EXPECT_THAT((*reader)->Read(13, 100), IsOkAndHolds("es"));
  EXPECT_THAT((*reader)->Read(15, 100), IsOkAndHolds(""));
  EXPECT_THAT((*reader)->Read(1000, 100), IsOkAndHolds(""));
}

TEST_P(BlobStoreTest, AnOpenBlobOutlivesItsRemoval) {
  ASSERT_THAT(Put(text_), IsOk());
  const auto reader = store_->Open(digest_);
  ASSERT_THAT(reader, IsOk());

  ASSERT_THAT(store_->Remove(digest_), IsOk());

  EXPECT_THAT((*reader)->Read(0, 15), IsOkAndHolds(text_));
  EXPECT_THAT(store_->Open(digest_), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->Remove(digest_), IsOk());
}

TEST_P(BlobStoreTest, DiscardForgetsAnUploadOnly) {
  ASSERT_THAT(Put(text_), IsOk());
  ASSERT_THAT(store_->Append(digest_, 0, "again"), IsOk());

  ASSERT_THAT(store_->Discard(digest_), IsOk());
  ASSERT_THAT(store_->Discard(digest_), IsOk());

  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(0));
  EXPECT_THAT(ReadAll(digest_), IsOkAndHolds(text_));
}

TEST_P(BlobStoreTest, UploadsExpireByTheClock) {
  const std::string older = Sha256Hex("older");
  ASSERT_THAT(store_->Append(older, 0, "x"), IsOk());
  ASSERT_THAT(store_->Append(digest_, 0, "x"), IsOk());
  clock_.Advance(absl::Hours(20));
  ASSERT_THAT(store_->Append(digest_, 1, "y"), IsOk());
  clock_.Advance(absl::Hours(20));

  EXPECT_THAT(store_->ExpireUploads(absl::Hours(24)), IsOkAndHolds(1));

  EXPECT_THAT(store_->UploadedBytes(older), IsOkAndHolds(0));
  EXPECT_THAT(store_->UploadedBytes(digest_), IsOkAndHolds(2));
}

TEST_P(BlobStoreTest, NamesThatAreNoDigestsAreRefused) {
  const std::string upper(64, 'A');
  for (const std::string& bad :
       {std::string(), std::string("../../etc/passwd"), upper, digest_ + "0",
        digest_.substr(1), digest_.substr(1) + "\n"}) {
    EXPECT_THAT(store_->Append(bad, 0, "x"),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
    for (const absl::Status& status :
         {store_->UploadedBytes(bad).status(), store_->Truncate(bad, 0),
          store_->Verify(bad, 0).status(), store_->Publish(bad),
          store_->Discard(bad), store_->Open(bad).status(),
          store_->Remove(bad)}) {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
    }
  }
  EXPECT_THAT(store_->List(), IsOkAndHolds(IsEmpty()));
}

absl::StatusOr<std::unique_ptr<BlobStore>> OpenFolder(const std::string& folder,
                                                      storage::S3Client&,
                                                      Clock& clock) {
  return FolderBlobStore::Open(folder, clock);
}

// The bucket is shared: each test has the prefix that its folder is named by.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenBucket(const std::string& folder,
                                                      storage::S3Client& s3,
                                                      Clock& clock) {
  ASSIGN_OR_RETURN(std::unique_ptr<BlobStore> uploads,
                   FolderBlobStore::Open(folder, clock));
  return std::make_unique<storage::S3BlobStore>(
      storage::S3Location{"tessera", folder.substr(1)}, s3, std::move(uploads));
}

INSTANTIATE_TEST_SUITE_P(Stores, BlobStoreTest,
                         ::testing::Values(StoreCase{"Folder", false,
                                                     OpenFolder},
                                           StoreCase{"S3", true, OpenBucket}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tessera
