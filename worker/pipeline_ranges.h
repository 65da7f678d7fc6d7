// What every rank of a pipeline must compute alike.
#ifndef TESSERA_WORKER_PIPELINE_RANGES_H_
#define TESSERA_WORKER_PIPELINE_RANGES_H_

#include <vector>

#include "worker/model/unet_piece.h"
#include "worker/pipeline/schedule.h"

namespace tessera::worker {

// Returns how many pictures a micro-batch holds when the whole batch is to
// hold about `batch`; at least 1.
int PicturesOfMicroBatch(int batch, int ranks);

// Returns the pieces that a rank runs.
std::vector<model::PieceRange> RangesOf(const pipeline::Layout& layout,
                                        int rank);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PIPELINE_RANGES_H_
