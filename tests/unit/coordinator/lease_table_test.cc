#include "coordinator/lease_table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(100);
const WorkerId kAnn("ann");
const WorkerId kBob("bob");
const JobId kJob("job");

Lease MakeLease(int64_t shard, int64_t epoch) { return {{kJob, shard}, epoch}; }

TEST(LeaseTableTest, HolderHoldsExactlyItsLease) {
  LeaseTable table;
  table.Grant(MakeLease(1, 2), kAnn, kStart);

  EXPECT_TRUE(table.Holds(kAnn, MakeLease(1, 2)));
  EXPECT_FALSE(table.Holds(kAnn, MakeLease(1, 1)));
  EXPECT_FALSE(table.Holds(kAnn, MakeLease(2, 2)));
  EXPECT_FALSE(table.Holds(kBob, MakeLease(1, 2)));
  EXPECT_FALSE(table.Find(kBob).has_value());
}

TEST(LeaseTableTest, ExpiryIsInclusiveAndOldestFirst) {
  LeaseTable table;
  table.Grant(MakeLease(1, 1), kAnn, kStart + absl::Seconds(2));
  table.Grant(MakeLease(2, 1), kBob, kStart + absl::Seconds(1));

  EXPECT_THAT(table.TakeExpired(kStart), IsEmpty());
  EXPECT_THAT(table.TakeExpired(kStart + absl::Seconds(2)),
              ElementsAre(Field(&HeldLease::worker, kBob),
                          Field(&HeldLease::worker, kAnn)));
  EXPECT_EQ(table.size(), 0);
}

TEST(LeaseTableTest, RenewalPutsExpiryOff) {
  LeaseTable table;
  table.Grant(MakeLease(1, 1), kAnn, kStart);
  table.Renew(kAnn, kStart + absl::Seconds(5));

  EXPECT_THAT(table.TakeExpired(kStart + absl::Seconds(4)), IsEmpty());
}

TEST(LeaseTableTest, RevokedLeaseStaysUntilItsWorkerHeard) {
  LeaseTable table;
  table.Grant(MakeLease(1, 1), kAnn, kStart);

  table.RevokeJob(kJob);

  EXPECT_FALSE(table.Holds(kAnn, MakeLease(1, 1)));
  EXPECT_TRUE(table.HasJob(kJob));
  table.Remove(kAnn);
  EXPECT_FALSE(table.HasJob(kJob));
}

TEST(LeaseTableTest, RevokingOneJobSparesOthers) {
  LeaseTable table;
  table.Grant(MakeLease(1, 1), kAnn, kStart);
  table.Grant({{JobId("other"), 1}, 1}, kBob, kStart);

  table.RevokeJob(kJob);

  EXPECT_TRUE(table.Holds(kBob, {{JobId("other"), 1}, 1}));
}

TEST(LeaseTableDeathTest, SecondLeaseOfAWorkerIsABug) {
  LeaseTable table;
  table.Grant(MakeLease(1, 1), kAnn, kStart);
  EXPECT_DEATH(table.Grant(MakeLease(2, 1), kAnn, kStart), "added");
}

}  // namespace
}  // namespace tessera::coordinator
