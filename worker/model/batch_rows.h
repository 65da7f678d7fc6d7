// The rows of a batch on their way through the UNet.
#ifndef TESSERA_WORKER_MODEL_BATCH_ROWS_H_
#define TESSERA_WORKER_MODEL_BATCH_ROWS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/adapter_set.h"
#include "worker/model/noise_predictor.h"
#include "worker/model/prompt_cache.h"
#include "worker/model/text_to_image.h"
#include "worker/model/unet_runner.h"

namespace tessera::model {

// Holds each row's cross-attention keys side by side and calls the UNet: once
// for all rows that run by the model's own weights, and once for each set of
// merged weights. Thread-compatible. Borrows the model.
class BatchRows final : public NoisePredictor {
 public:
  // Holds up to `max_rows` rows.
  BatchRows(const TextToImage& model, int64_t max_rows);
  // Does so with a runner that it shares with others, of the net `unet`.
  BatchRows(const UNet& unet, kernels::Device& device, UNetRunner& runner,
            int64_t max_rows);

  // Sets which rows there are; rows of one merged set must be neighbours.
  // Copies the keys of the rows whose prompt is not the one that was there.
  // Errors: those of the device's memory or of a copy; there are then no rows.
  absl::Status Arrange(std::vector<BatchRow> rows) override;

  // Predicts the noise of every row: sample and out [rows, h, w, C] in the
  // type that the device computes in, timesteps [rows] f32, all with the
  // device. Returns the first error known by then; does not wait.
  absl::Status Predict(const kernels::TensorView& sample,
                       const kernels::TensorView& timesteps,
                       const kernels::TensorView& out);

  // Runs a part of the net for every row: the first axis of `hidden`, of each
  // parked skip and of `out` is the rows. `sample` has the shape of the
  // latents. Else as Predict.
  absl::Status RunSegment(const UNetSegment& segment,
                          const kernels::TensorView& sample,
                          const kernels::TensorView& timesteps);

  // Predicts at once.
  absl::Status Start(const kernels::TensorView& sample,
                     const kernels::TensorView& timesteps,
                     const kernels::TensorView& out) override {
    return Predict(sample, timesteps, out);
  }
  absl::Status Finish() override { return absl::OkStatus(); }

  // Gives back the memory of UNet calls, which ask for it again. Nothing may be
  // queued that reads it.
  void ReleaseMemory() { runner_.ReleaseMemory(); }

  // UNet calls that one Predict makes.
  int64_t calls() const override {
    return static_cast<int64_t>(groups_.size());
  }

 private:
  // Neighbouring rows that run by the same weights.
  struct Group {
    int64_t begin = 0;
    int64_t end = 0;
    const MergedLayers* merged = nullptr;  // null: the model's own
    AdapterRows adapters;
    int64_t generation = 0;
    std::vector<kernels::TensorView> keys;
  };

  absl::Status AllocateKeys(const EncodedPrompt& prompt);
  void CopyKeys(size_t row, const EncodedPrompt& prompt);
  void AddGroup(size_t begin, size_t end);

  const UNet& unet_;
  const int64_t max_rows_;
  kernels::Stream stream_;
  std::unique_ptr<UNetRunner> own_runner_;  // null: shared with others
  UNetRunner& runner_;
  std::vector<BatchRow> rows_;
  std::vector<kernels::Tensor> keys_;  // each [max_rows, T, 2 C]
  kernels::Tensor added_;              // [max_rows, E]; empty: none
  // Not told by keys_: a part of a net may have no cross-attention.
  bool allocated_ = false;
  std::vector<Group> groups_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_BATCH_ROWS_H_
