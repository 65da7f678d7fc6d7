// What only a store in a file can get wrong.
#include "coordinator/store/sqlite_job_store.h"

#include <sqlite3.h>

#include <filesystem>
#include <string>

#include "coordinator/store/migrations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class SqliteJobStoreTest : public ::testing::Test {
 protected:
  static absl::Status PutJobs(JobStore& store, int64_t first, int64_t count) {
    auto transaction = store.Begin();
    for (int64_t i = 0; i < count; ++i) {
      Job job{.id = JobId("job-" + std::to_string(first + i)),
              .number = first + i};
      job.message = std::string(1000, 'x');
      (*transaction)->PutJob(job);
    }
    return (*transaction)->Commit();
  }

  testing::TemporaryFolder folder_;
  const std::string path_ = folder_ / "jobs.db";
};

TEST_F(SqliteJobStoreTest, SecondCoordinatorIsRefused) {
  const auto first = SqliteJobStore::Open(path_);
  ASSERT_THAT(first, IsOk());

  EXPECT_THAT(SqliteJobStore::Open(path_),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("another coordinator")));
}

TEST_F(SqliteJobStoreTest, FileThatIsNoDatabaseIsDataLoss) {
  testing::WriteText(path_, std::string(8192, 'x'));

  EXPECT_THAT(SqliteJobStore::Open(path_),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(SqliteJobStoreTest, DamagedPageIsFoundAtStart) {
  ASSERT_THAT(PutJobs(**SqliteJobStore::Open(path_), 1, 200), IsOk());
  std::string bytes = testing::ReadText(path_);
  ASSERT_GT(bytes.size(), 100'000);
  for (size_t page = 4096; page + 4096 <= bytes.size(); page += 4096) {
    bytes.replace(page, 64, std::string(64, '\x7f'));
  }
  testing::WriteText(path_, bytes);

  EXPECT_THAT(SqliteJobStore::Open(path_),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(SqliteJobStoreTest, FolderThatIsMissingIsUnavailable) {
  EXPECT_THAT(SqliteJobStore::Open(folder_ / "no/jobs.db"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no/jobs")));
}

TEST_F(SqliteJobStoreTest, NewerSchemaIsRefused) {
  { ASSERT_THAT(SqliteJobStore::Open(path_), IsOk()); }
  {
    auto database = SqliteDatabase::Open(path_);
    ASSERT_THAT((*database)->Execute("PRAGMA user_version = 99"), IsOk());
  }

  EXPECT_THAT(SqliteJobStore::Open(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("newer version")));
}

TEST_F(SqliteJobStoreTest, MigratingAgainChangesNothing) {
  auto database = SqliteDatabase::Open(path_);
  ASSERT_THAT(database, IsOk());

  EXPECT_THAT(Migrate(**database), IsOk());
  EXPECT_THAT(Migrate(**database), IsOk());

  EXPECT_THAT((*database)->QueryText("PRAGMA user_version"),
              IsOkAndHolds(std::to_string(Migrations().size())));
}

TEST_F(SqliteJobStoreTest, FullDiskFailsTheCommitAndKeepsTheStoreUsable) {
  auto database = SqliteDatabase::Open(path_);
  ASSERT_THAT(database, IsOk());
  ASSERT_THAT((*database)->Execute("PRAGMA journal_mode = WAL"), IsOk());
  ASSERT_THAT(Migrate(**database), IsOk());
  auto writer = SqliteWriter::Create(*std::move(database));
  ASSERT_THAT(writer, IsOk());
  // SQLite answers as for a full disk when a file may not grow.
  ASSERT_THAT((*writer)->database->Execute("PRAGMA max_page_count = 40"),
              IsOk());
  const auto put = [&](int64_t count) {
    SqliteTransaction transaction(**writer);
    for (int64_t i = 1; i <= count; ++i) {
      Job job{.id = JobId("job-" + std::to_string(i)), .number = i};
      job.message = std::string(1000, 'x');
      transaction.PutJob(job);
    }
    return transaction.Commit();
  };

  EXPECT_THAT(put(500), StatusIs(absl::StatusCode::kResourceExhausted,
                                 HasSubstr("full")));
  EXPECT_THAT((*writer)->database->QueryText("SELECT COUNT(*) FROM jobs"),
              IsOkAndHolds("0"));
  EXPECT_THAT(put(3), IsOk());
}

TEST_F(SqliteJobStoreTest, LockedStoreIsUnavailable) {
  EXPECT_THAT(SqliteError(nullptr, SQLITE_BUSY, "write"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("locked")));
  EXPECT_THAT(SqliteError(nullptr, SQLITE_CORRUPT, "read"),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(SqliteError(nullptr, SQLITE_MISUSE, "read"),
              StatusIs(absl::StatusCode::kInternal));
}

// A power cut leaves a write-ahead log of any length: what was committed
// before it is there, what was not is not, and nothing is half there.
TEST_F(SqliteJobStoreTest, LogCutAnywhereOpensWithWholeTransactions) {
  const auto store = SqliteJobStore::Open(path_);
  ASSERT_THAT(store, IsOk());
  ASSERT_THAT(PutJobs(**store, 1, 2), IsOk());
  ASSERT_THAT(PutJobs(**store, 3, 2), IsOk());
  const std::string main = testing::ReadText(path_);
  const std::string log = testing::ReadText(path_ + "-wal");

  // 97 is prime: cuts fall anywhere within frames.
  for (size_t size = 0; size <= log.size(); size += 97 * 13) {
    const std::string copy = folder_ / ("cut-" + std::to_string(size));
    testing::WriteText(copy, main);
    testing::WriteText(copy + "-wal", log.substr(0, size));

    const auto reopened = SqliteJobStore::Open(copy);

    ASSERT_THAT(reopened, IsOk()) << size;
    const auto jobs = (*reopened)->LoadJobs();
    ASSERT_THAT(jobs, IsOk()) << size;
    EXPECT_EQ(jobs->size() % 2, 0) << size;
  }
}

}  // namespace
}  // namespace tessera::coordinator
