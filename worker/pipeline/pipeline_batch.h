// The batch of a pipeline: rank 0 and what drives all ranks.
#ifndef TESSERA_WORKER_PIPELINE_PIPELINE_BATCH_H_
#define TESSERA_WORKER_PIPELINE_PIPELINE_BATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "common/clock.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/text_to_image.h"
#include "worker/pipeline/channel.h"
#include "worker/pipeline/micro_batch_head.h"
#include "worker/pipeline/stage.h"

namespace tessera::pipeline {

// Says how other ranks find what a request uses; its scale is not read.
using AdapterDescriber =
    std::function<AdapterReference(const model::AdapterWeights&)>;

struct PipelineBatchOptions {
  Layout layout;     // has passed CheckLayout
  int pictures = 1;  // a micro-batch, two UNet rows each at most
  int64_t merged_bytes = int64_t{1} << 30;
  absl::Duration patience = absl::InfiniteDuration();
  StageEvents* events = nullptr;  // as of StageOptions
};

// A continuous batch like DenoiseBatch, whose UNet calls pass through the
// ranks of a pipeline. Its pictures are spread over micro-batches, of which
// each is at its own step; they are the same, bit for bit, as in a
// DenoiseBatch.
//
// Thread-compatible. Borrows everything.
class PipelineBatch {
 public:
  // `model` has the pieces of rank 0, which `channel` is of.
  PipelineBatch(const model::TextToImage& model,
                const PipelineBatchOptions& options, Channel& channel,
                AdapterDescriber describe, Clock& clock);
  ~PipelineBatch();

  PipelineBatch(const PipelineBatch&) = delete;
  PipelineBatch& operator=(const PipelineBatch&) = delete;

  // Has a picture enter when its micro-batch begins its next call. Pictures
  // that are in the batch together must have one size. Errors: INVALID_ARGUMENT
  // as of TextToImage::Validate, FAILED_PRECONDITION when there is no room.
  absl::Status Admit(int64_t ticket, model::ImageRequest request);

  // Waits until the micro-batch whose turn it is has made a UNet call and
  // returns the pictures of it that are done. An error of the pipeline is the
  // result of every picture, and stays.
  std::vector<model::Finished> Step();

  // Drops a picture without finishing it; an unknown ticket is ignored.
  void Remove(int64_t ticket);

  // Pictures that there is room for.
  int capacity() const;
  // Where the time went since the batch was made.
  model::StageSeconds seconds() const;
  // OK until the pipeline fails; then why, for ever.
  absl::Status status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_PIPELINE_BATCH_H_
