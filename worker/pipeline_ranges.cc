#include "worker/pipeline_ranges.h"

#include <algorithm>

namespace tessera::worker {

int PicturesOfMicroBatch(int batch, int ranks) {
  const int micro_batches = pipeline::MicroBatches(ranks);
  return std::max(1, (batch + micro_batches - 1) / micro_batches);
}

std::vector<model::PieceRange> RangesOf(const pipeline::Layout& layout,
                                        int rank) {
  std::vector<model::PieceRange> ranges;
  for (const pipeline::Segment& segment : layout.segments) {
    if (segment.rank == rank) ranges.push_back({segment.begin, segment.end});
  }
  return ranges;
}

}  // namespace tessera::worker
