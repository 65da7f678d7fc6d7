// One micro-batch's way through the pipeline, as rank 0 sees it.
#ifndef TESSERA_WORKER_PIPELINE_SLOT_PREDICTOR_H_
#define TESSERA_WORKER_PIPELINE_SLOT_PREDICTOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "worker/model/noise_predictor.h"
#include "worker/pipeline/channel.h"
#include "worker/pipeline/micro_batch_head.h"
#include "worker/pipeline/stage.h"

namespace tessera::pipeline {

// Sends a micro-batch down with all that the other ranks need to know of it,
// and takes it back. Used by rank 0's thread. Borrows everything.
class SlotPredictor final : public model::NoisePredictor {
 public:
  using Describer =
      std::function<AdapterReference(const model::AdapterWeights&)>;

  SlotPredictor(int micro_batch, Stage& stage, Channel& channel,
                kernels::Device& device, const Describer& describe);

  absl::Status Arrange(std::vector<model::BatchRow> rows) override;
  absl::Status Start(const kernels::TensorView& sample,
                     const kernels::TensorView& timesteps,
                     const kernels::TensorView& out) override;
  absl::Status Finish() override;
  int64_t calls() const override;

  // Sends the micro-batch down without pictures, to keep the order.
  absl::Status StartEmpty();

  // How the last Finish ended.
  const absl::Status& finish_status() const { return finish_status_; }

 private:
  absl::StatusOr<MicroBatchHead> DescribeRows();
  absl::StatusOr<MatrixBytes> ReadMatrix(const kernels::TensorView& tensor);

  const int micro_batch_;
  Stage& stage_;
  Channel& channel_;
  kernels::Device& device_;
  const Describer& describe_;
  // The rows that the next head describes; empty once it has.
  std::vector<model::BatchRow> rows_;
  bool arranged_ = false;
  // What the other ranks have of this slot, by number.
  std::map<int64_t, std::shared_ptr<const model::EncodedPrompt>> sent_;
  int64_t next_prompt_ = 0;
  kernels::TensorView out_;
  absl::Status finish_status_;
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_SLOT_PREDICTOR_H_
