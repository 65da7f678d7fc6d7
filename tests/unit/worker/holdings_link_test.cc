#include "worker/holdings_link.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;

// Keeps the last call.
class RecordingLink final : public CoordinatorLink {
 public:
  absl::StatusOr<SynchronizeAnswer> Synchronize(
      const SynchronizeCall& call) override {
    synchronized = call;
    return SynchronizeAnswer{};
  }
  absl::Status CommitResults(const CommitCall& call) override {
    committed = call;
    return absl::AbortedError("stale");
  }
  void EndIdleCalls() override { ended = true; }

  SynchronizeCall synchronized;
  CommitCall committed;
  bool ended = false;
};

TEST(HoldingsLinkTest, AddsWhatIsHeldAtEachCall) {
  RecordingLink inner;
  std::vector<std::string> held = {"a", "b"};
  HoldingsLink link(inner, [&] { return held; });
  SynchronizeCall call;
  call.sequence = 7;

  EXPECT_TRUE(link.Synchronize(call).ok());
  EXPECT_EQ(inner.synchronized.sequence, 7u);
  EXPECT_THAT(inner.synchronized.held_loras, ElementsAre("a", "b"));

  held = {"b"};
  EXPECT_TRUE(link.Synchronize(call).ok());
  EXPECT_THAT(inner.synchronized.held_loras, ElementsAre("b"));
}

TEST(HoldingsLinkTest, SaysNoMoreThanTheProtocolTakes) {
  RecordingLink inner;
  HoldingsLink link(inner, [] { return std::vector<std::string>(300, "a"); });

  EXPECT_TRUE(link.Synchronize({}).ok());

  EXPECT_EQ(inner.synchronized.held_loras.size(), 256u);
}

TEST(HoldingsLinkTest, PassesTheOtherCallsOn) {
  RecordingLink inner;
  HoldingsLink link(inner, [] { return std::vector<std::string>(); });
  CommitCall commit;
  commit.lease = {"job", 1, 2};

  EXPECT_THAT(link.CommitResults(commit), StatusIs(absl::StatusCode::kAborted));
  link.EndIdleCalls();

  EXPECT_EQ(inner.committed.lease, commit.lease);
  EXPECT_TRUE(inner.ended);
}

}  // namespace
}  // namespace tessera::worker
