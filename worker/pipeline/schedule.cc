#include "worker/pipeline/schedule.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tessera::pipeline {
namespace {

// Micro-batches a rank: one that it works on, and one that comes or goes.
constexpr int kMicroBatchesPerRank = 2;

}  // namespace

absl::Status CheckLayout(const Layout& layout, size_t pieces) {
  const auto bad = [](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("pipeline layout: ", what));
  };
  if (layout.ranks < 1) return bad(absl::StrCat("ranks: ", layout.ranks));
  if (layout.segments.empty() || layout.segments.front().rank != 0 ||
      layout.segments.back().rank != 0) {
    return bad("must begin and end with rank 0");
  }
  std::vector<int> segments(static_cast<size_t>(layout.ranks), 0);
  size_t next = 0;
  for (const Segment& segment : layout.segments) {
    if (segment.rank < 0 || segment.rank >= layout.ranks) {
      return bad(absl::StrCat("no such rank: ", segment.rank));
    }
    if (segment.begin != next || segment.end < segment.begin) {
      return bad(absl::StrCat("pieces are not in order at ", segment.begin));
    }
    next = segment.end;
    if (++segments[static_cast<size_t>(segment.rank)] > 2) {
      return bad(absl::StrCat("more than two segments of rank ", segment.rank));
    }
  }
  if (next != pieces) {
    return bad(absl::StrCat("covers ", next, " of ", pieces, " pieces"));
  }
  const auto idle = std::find(segments.begin(), segments.end(), 0);
  if (idle != segments.end()) {
    return bad(absl::StrCat("no segment of rank ", idle - segments.begin()));
  }
  return absl::OkStatus();
}

int MicroBatches(int ranks) { return kMicroBatchesPerRank * ranks; }

VisitOrder::VisitOrder(const Layout& layout, int rank, int micro_batches)
    : micro_batches_(micro_batches) {
  for (size_t i = 0; i < layout.segments.size(); ++i) {
    if (layout.segments[i].rank != rank) continue;
    (down_ < 0 ? down_ : up_) = static_cast<int>(i);
  }
  CHECK(down_ >= 0);
  // One round's worth less for each rank above: those micro-batches are there.
  warm_up_ = std::max(1, micro_batches - kMicroBatchesPerRank * rank);
}

Visit VisitOrder::Next() {
  const bool up = up_ >= 0 && downs_ - ups_ >= warm_up_;
  long& visits = up ? ups_ : downs_;
  const auto micro_batch = static_cast<int>(visits % micro_batches_);
  ++visits;
  return {up ? up_ : down_, micro_batch};
}

}  // namespace tessera::pipeline
