#include "client/transfer_progress.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"

namespace tessera::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TransferProgressTest, BytesAreShortForAPerson) {
  EXPECT_EQ(ShortBytes(0), "0 B");
  EXPECT_EQ(ShortBytes(999), "999 B");
  EXPECT_EQ(ShortBytes(1000), "1.0 kB");
  EXPECT_EQ(ShortBytes(1'550'000), "1.6 MB");
  EXPECT_EQ(ShortBytes(999'960), "1.0 MB");
  EXPECT_EQ(ShortBytes(17'179'869'184), "17.2 GB");
  EXPECT_EQ(ShortBytes(3'000'000'000'000), "3.0 TB");
}

// One column is left free, so that no terminal wraps the line.
TEST(TransferProgressTest, BarFillsWithTheBytes) {
  EXPECT_EQ(FormatTransferBar(0, 2'000'000, 40),
            "[-------------------] 0 B / 2.0 MB   0%");
  EXPECT_EQ(FormatTransferBar(1'000'000, 2'000'000, 36),
            "[######------] 1.0 MB / 2.0 MB  50%");
  EXPECT_EQ(FormatTransferBar(2'000'000, 2'000'000, 1),
            "[##########] 2.0 MB / 2.0 MB 100%");
  // 16 GiB times the width of the bar does not overflow.
  EXPECT_THAT(FormatTransferBar(int64_t{16} << 30, int64_t{16} << 30, 80),
              HasSubstr("100%"));
}

TEST(TransferProgressTest, LinesComeSeldomAndTheEndAlways) {
  testing::FakeClock clock;
  std::ostringstream out;
  TransferProgress progress(ProgressStyle::kLines, 1000, 80, out, clock);

  progress.Show(0);
  clock.Advance(absl::Seconds(1));
  progress.Show(100);
  clock.Advance(absl::Seconds(3));
  progress.Show(400);
  progress.Show(1000);
  progress.Show(1000);
  progress.End();

  EXPECT_EQ(out.str(),
            "sent 0 B / 1.0 kB   0%\n"
            "sent 400 B / 1.0 kB  40%\n"
            "sent 1.0 kB / 1.0 kB 100%\n");
}

TEST(TransferProgressTest, BarIsDrawnInPlaceAndGivesWayToNotes) {
  testing::FakeClock clock;
  std::ostringstream out;
  TransferProgress progress(ProgressStyle::kBar, 1000, 40, out, clock);

  progress.Show(500);
  progress.Note("trying again");
  progress.Show(1000);
  progress.End();

  EXPECT_THAT(out.str(), HasSubstr("\r\x1b[Ktrying again\n\r["));
  EXPECT_EQ(out.str().back(), '\n');
}

TEST(TransferProgressTest, JsonHasResultsOnly) {
  testing::FakeClock clock;
  std::ostringstream out;
  TransferProgress progress(ProgressStyle::kJson, 1000, 80, out, clock);

  progress.Show(1000);
  progress.Note("trying again");
  progress.End();

  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace tessera::client
