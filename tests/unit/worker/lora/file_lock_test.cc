#include "worker/lora/file_lock.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

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

// Passes time on, and makes a file longer at each of the first `times` waits.
class GrowingClock final : public Clock {
 public:
  GrowingClock(Clock& clock, std::string path, int times)
      : clock_(clock), path_(std::move(path)), times_(times) {}
  absl::Time Now() override { return clock_.Now(); }
  bool AwaitWithTimeout(absl::Mutex& mu, const absl::Condition& condition,
                        absl::Duration timeout) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    pause_ = timeout;
    if (times_-- > 0) std::ofstream(path_, std::ios::app) << "x";
    return clock_.AwaitWithTimeout(mu, condition, timeout);
  }
  absl::Duration pause() const { return pause_; }

 private:
  Clock& clock_;
  const std::string path_;
  int times_;
  absl::Duration pause_;
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

  EXPECT_THAT(
      LockWaiter(absl::Seconds(10), clock_).Lock(waiter, LockMode::kShared),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr(path_)));

  EXPECT_GE(clock_.Now() - start, absl::Seconds(10));
  EXPECT_LT(clock_.Now() - start, absl::Seconds(11));
}

TEST_F(FileLockTest, WaitingEndsWhenToldToStop) {
  LockableFile holder = Open(), waiting = Open();
  ASSERT_TRUE(holder.TryLock(LockMode::kExclusive));
  LockWaiter waiter(absl::InfiniteDuration(), RealClock());
  absl::Status status;
  std::thread thread([&] { status = waiter.Lock(waiting, LockMode::kShared); });

  waiter.Stop();
  thread.join();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, HasSubstr(path_)));
}

TEST_F(FileLockTest, AGrowingFileIsWaitedForLonger) {
  LockableFile holder = Open(), waiting = Open();
  ASSERT_TRUE(holder.TryLock(LockMode::kExclusive));
  const absl::Time start = clock_.Now();
  GrowingClock clock(clock_, path_, 100);
  LockWaiter waiter(absl::Minutes(1), clock);

  EXPECT_THAT(waiter.Lock(waiting, LockMode::kShared),
              StatusIs(absl::StatusCode::kUnavailable));

  // A hundred pauses with progress, then a minute without.
  EXPECT_GE(clock_.Now() - start, absl::Minutes(1) + 99 * clock.pause());
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
