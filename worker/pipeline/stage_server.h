// A rank below the first: does what the heads that come down say.
#ifndef TESSERA_WORKER_PIPELINE_STAGE_SERVER_H_
#define TESSERA_WORKER_PIPELINE_STAGE_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "kernels/device.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_set.h"
#include "worker/model/text_keys.h"
#include "worker/model/unet.h"
#include "worker/pipeline/channel.h"
#include "worker/pipeline/micro_batch_head.h"
#include "worker/pipeline/stage.h"

namespace tessera::pipeline {

// Returns the weights that a reference means, read for the whole model.
// Errors: why this rank has them not.
using AdapterFinder =
    std::function<absl::StatusOr<std::shared_ptr<const model::AdapterWeights>>(
        const AdapterReference&)>;

// Serves the micro-batches of rank 0. Used by one thread. Borrows everything.
class StageServer {
 public:
  // `unet` has the pieces of the channel's rank, which is not 0. Merged
  // weights of up to `merged_bytes` are kept.
  StageServer(const model::UNet& unet, kernels::Device& device,
              const StageOptions& options, int64_t merged_bytes,
              Channel& channel, AdapterFinder find_adapter, Clock& clock);

  // Serves until the channel ends, or something else fails; the channel is
  // aborted then. Returns the reason.
  absl::Status Serve();

 private:
  // What a micro-batch was given and keeps.
  struct Slot {
    std::map<int64_t, std::shared_ptr<const model::EncodedPrompt>> prompts;
    kernels::Tensor timesteps;  // [max_rows] f32, with the device
  };

  absl::Status ServeOne();
  absl::Status TakeHead(int micro_batch);
  absl::Status Arrange(const MicroBatchHead& head);
  absl::StatusOr<std::shared_ptr<const model::AdapterSet>> FindSet(
      const RowReference& row);
  absl::StatusOr<std::shared_ptr<const model::EncodedPrompt>> MakePrompt(
      const MicroBatchHead& head, int64_t prompt,
      const model::AdapterSet& adapters);
  absl::StatusOr<kernels::Tensor> ToDevice(const MatrixBytes& matrix,
                                           const kernels::Shape& shape);
  absl::Status Begin(const MicroBatchHead& head);

  const model::UNet& unet_;
  kernels::Stream stream_;
  const StageOptions options_;
  Channel& channel_;
  const AdapterFinder find_adapter_;
  Stage stage_;
  VisitOrder order_;
  model::TextKeyProjector keys_;
  model::AdapterSets sets_;
  std::vector<Slot> slots_;
  int first_ = 0;     // this rank's first segment
  int forward_ = -1;  // the rank that learns of heads from this one; -1: none
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_STAGE_SERVER_H_
