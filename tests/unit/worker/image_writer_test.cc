#include "worker/image_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/worker/output_tree.h"
#include "worker/image_files.h"

namespace tessera::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPath[] = "images/000007/a-0.png";

TEST(ImageWriterTest, WritesTheBytesAndReturnsTheirDigest) {
  OutputTree folder;
  auto writer = ImageWriter::Create(folder.path(), "w", 7);
  ASSERT_TRUE(writer.ok()) << writer.status();

  const auto digest = (*writer)->Write(kPath, "bytes");

  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(*digest, Sha256Hex("bytes"));
  EXPECT_EQ(folder.Read(kPath), "bytes");
  EXPECT_THAT(folder.Files(), ElementsAre(kPath));
}

TEST(ImageWriterTest, ReplacesAnEarlierAttemptsPicture) {
  OutputTree folder;
  folder.Write(kPath, "earlier, longer bytes");
  auto writer = ImageWriter::Create(folder.path(), "w", 7);

  ASSERT_TRUE((*writer)->Write(kPath, "bytes").ok());

  EXPECT_EQ(folder.Read(kPath), "bytes");
}

TEST(ImageWriterTest, HalfFileOfACrashIsOverwrittenAndNeverNamed) {
  OutputTree folder;
  folder.Write(".tessera-tmp/w/a-0.png", "half of an earlier pict");
  auto writer = ImageWriter::Create(folder.path(), "w", 7);

  EXPECT_THAT(folder.Files(), ElementsAre(".tessera-tmp/w/a-0.png"));
  ASSERT_TRUE((*writer)->Write(kPath, "bytes").ok());
  writer->reset();

  EXPECT_EQ(folder.Read(kPath), "bytes");
  EXPECT_THAT(folder.Files(), ElementsAre(kPath));
}

TEST(ImageWriterTest, LeavesOtherWorkersFilesAlone) {
  OutputTree folder;
  folder.Write(".tessera-tmp/other/b-0.png", "in the making");
  auto writer = ImageWriter::Create(folder.path(), "w", 7);

  writer->reset();

  EXPECT_THAT(folder.Files(), ElementsAre(".tessera-tmp/other/b-0.png"));
}

TEST(ImageWriterTest, FailedWriteLeavesNothing) {
  OutputTree folder;
  auto writer = ImageWriter::Create(folder.path(), "w", 7);
  std::filesystem::create_directories(folder.path() + "/" + kPath + "/in-way");

  const auto digest = (*writer)->Write(kPath, "bytes");

  EXPECT_FALSE(digest.ok());
  EXPECT_THAT(std::string(digest.status().message()),
              HasSubstr("cannot rename into place"));
  EXPECT_THAT(folder.Files(), IsEmpty());
}

TEST(ImageWriterTest, RemovedFoldersAreNotFound) {
  OutputTree folder;
  auto writer = ImageWriter::Create(folder.path(), "w", 7);
  std::filesystem::remove_all(folder.path() + "/.tessera-tmp");

  const auto digest = (*writer)->Write(kPath, "bytes");

  EXPECT_EQ(digest.status().code(), absl::StatusCode::kNotFound);
}

TEST(ImageWriterTest, FolderThatMayNotBeWrittenIsPermissionDenied) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  OutputTree folder;
  ::chmod(folder.path().c_str(), 0500);

  const auto writer = ImageWriter::Create(folder.path(), "w", 7);

  EXPECT_EQ(writer.status().code(), absl::StatusCode::kPermissionDenied);
  ::chmod(folder.path().c_str(), 0700);
}

TEST(ImageWriterTest, FileInTheWayOfAFolderIsAnError) {
  OutputTree folder;
  folder.Write("images", "a file");

  const auto writer = ImageWriter::Create(folder.path(), "w", 7);

  EXPECT_FALSE(writer.ok());
  EXPECT_THAT(std::string(writer.status().message()),
              HasSubstr("cannot create folder"));
}

class RetryWhileFullTest : public ::testing::Test {
 protected:
  absl::Status Retry(int failures) {
    return RetryWhileFull(control_, [&]() -> absl::Status {
      return calls_++ < failures ? absl::ResourceExhaustedError("disk full")
                                 : absl::OkStatus();
    });
  }

  testing::FakeClock clock_{testing::FakeClock::Mode::kWaitsPassTime};
  ExecutionControl control_{clock_};
  int calls_ = 0;
};

TEST_F(RetryWhileFullTest, SucceedsWhenThereIsRoomAgain) {
  const absl::Time start = clock_.Now();

  EXPECT_TRUE(Retry(3).ok());

  EXPECT_EQ(calls_, 4);
  EXPECT_EQ(clock_.Now() - start, absl::Seconds(1 + 2 + 4));
}

TEST_F(RetryWhileFullTest, GivesUpAfterFiveTries) {
  EXPECT_TRUE(absl::IsResourceExhausted(Retry(100)));

  EXPECT_EQ(calls_, 5);
}

TEST_F(RetryWhileFullTest, DoesNotWaitWhenStopped) {
  control_.Stop();

  EXPECT_TRUE(absl::IsResourceExhausted(Retry(100)));

  EXPECT_EQ(calls_, 1);
}

TEST_F(RetryWhileFullTest, OtherErrorsAreNotRepeated) {
  const absl::Status status = RetryWhileFull(control_, [&]() -> absl::Status {
    ++calls_;
    return absl::PermissionDeniedError("no");
  });

  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_EQ(calls_, 1);
}

}  // namespace
}  // namespace tessera::worker
