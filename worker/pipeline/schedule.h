// Which rank works on which micro-batch when.
#ifndef TESSERA_WORKER_PIPELINE_SCHEDULE_H_
#define TESSERA_WORKER_PIPELINE_SCHEDULE_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"

namespace tessera::pipeline {

// A run of UNet pieces [begin, end) on one rank. May be empty: what comes in
// then goes out.
struct Segment {
  int rank = 0;
  size_t begin = 0;
  size_t end = 0;

  friend bool operator==(const Segment&, const Segment&) = default;
};

// The way of a UNet call through the ranks: segment after segment, from the
// latents to the prediction. Rank 0 has the first and the last one.
struct Layout {
  int ranks = 1;
  std::vector<Segment> segments;

  friend bool operator==(const Layout&, const Layout&) = default;
};

// Says whether the segments cover `pieces` pieces in order, begin and end with
// rank 0 and give every rank one segment or two. INVALID_ARGUMENT says what
// does not.
absl::Status CheckLayout(const Layout& layout, size_t pieces);

// How many micro-batches circulate among `ranks` ranks.
int MicroBatches(int ranks);

// A rank's work on one micro-batch.
struct Visit {
  int segment = 0;
  int micro_batch = 0;

  friend bool operator==(const Visit&, const Visit&) = default;
};

// The visits of one rank, without end. Every rank takes the micro-batches in
// the same order at each of its segments, so that what a rank sends comes in
// the order in which its peer receives, and nothing has to be negotiated. A
// rank goes down until as many micro-batches are below it as the ranks below
// can be busy with; then it takes them up and down in turn, up first.
//
// Thread-compatible.
class VisitOrder {
 public:
  // `rank` must have a segment.
  VisitOrder(const Layout& layout, int rank, int micro_batches);

  // Returns the next visit.
  Visit Next();

 private:
  const int micro_batches_;
  int down_ = -1;    // the rank's first segment
  int up_ = -1;      // and its second; -1: none
  int warm_up_ = 0;  // visits down before the first one up
  long downs_ = 0;   // visits so far
  long ups_ = 0;
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_SCHEDULE_H_
