#include "worker/lora/file_lock.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::lora {
namespace {

using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::HasSubstr;

class FileLockTest : public ::testing::Test {
 protected:
  LockableFile Open() { return *LockableFile::OpenOrCreate(path_); }

  testing::TemporaryFolder folder_;
  const std::string path_ = folder_ / "file";
  testing::FakeClock clock_;
};

TEST_F(FileLockTest, OpensOnlyWhatIsThere) {
  EXPECT_THAT(LockableFile::Open(path_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
  Open();
  EXPECT_TRUE(LockableFile::Open(path_).ok());
}

TEST_F(FileLockTest, ManyShareOneExcludes) {
  LockableFile a = Open(), b = Open(), c = Open();

  EXPECT_TRUE(a.TryLock(LockMode::kShared));
  EXPECT_TRUE(b.TryLock(LockMode::kShared));
  EXPECT_FALSE(c.TryLock(LockMode::kExclusive));
}

TEST_F(FileLockTest, TheExclusiveLockExcludesAllOthers) {
  LockableFile a = Open(), b = Open();

  EXPECT_TRUE(a.TryLock(LockMode::kExclusive));

  EXPECT_FALSE(b.TryLock(LockMode::kShared));
  EXPECT_FALSE(b.TryLock(LockMode::kExclusive));
}

TEST_F(FileLockTest, DestroyingUnlocksAndMovingKeeps) {
  LockableFile other = Open();
  {
    LockableFile first = Open();
    ASSERT_TRUE(first.TryLock(LockMode::kExclusive));
    const LockableFile moved = std::move(first);
    EXPECT_FALSE(other.TryLock(LockMode::kShared));
  }
  EXPECT_TRUE(other.TryLock(LockMode::kShared));
}

TEST_F(FileLockTest, WaitingEndsWithThePatience) {
  LockableFile holder = Open(), waiter = Open();
  ASSERT_TRUE(holder.TryLock(LockMode::kExclusive));
  const absl::Time start = clock_.Now();

  EXPECT_THAT(waiter.Lock(LockMode::kShared, absl::Seconds(10), clock_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(path_)));

  EXPECT_GE(clock_.Now() - start, absl::Seconds(10));
  EXPECT_LT(clock_.Now() - start, absl::Seconds(11));
}

TEST_F(FileLockTest, KnowsWhenItsNameIsGoneOrAnothers) {
  const LockableFile file = Open();
  EXPECT_TRUE(file.IsInPlace());

  std::filesystem::rename(path_, folder_ / "elsewhere");
  EXPECT_FALSE(file.IsInPlace());

  WriteText(path_, "another");
  EXPECT_FALSE(file.IsInPlace());
}

TEST_F(FileLockTest, IdentityChangesWithTheContents) {
  WriteText(path_, "1234");
  const LockableFile file = Open();
  const FileIdentity before = file.identity();

  EXPECT_EQ(before.bytes, 4);
  EXPECT_EQ(file.identity(), before);
  std::filesystem::last_write_time(
      path_, std::filesystem::file_time_type(std::chrono::hours(1)));
  EXPECT_NE(file.identity(), before);
}

}  // namespace
}  // namespace tessera::lora
