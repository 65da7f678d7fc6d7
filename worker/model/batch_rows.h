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
#include "worker/model/prompt_cache.h"
#include "worker/model/text_to_image.h"
#include "worker/model/unet_runner.h"

namespace tessera::model {

// What one UNet row sees: a prompt, and the adapters of its picture.
struct BatchRow {
  std::shared_ptr<const EncodedPrompt> prompt;
  std::shared_ptr<const AdapterSet> adapters;
};

// Holds each row's cross-attention keys side by side and calls the UNet: once
// for all rows that run by the model's own weights, and once for each set of
// merged weights. Thread-compatible. Borrows the model.
class BatchRows {
 public:
  // Holds up to `max_rows` rows.
  BatchRows(const TextToImage& model, int64_t max_rows);

  // Sets which rows there are; rows of one merged set must be neighbours.
  // Copies the keys of the rows whose prompt is not the one that was there.
  // Errors: those of the device's memory or of a copy; there are then no rows.
  absl::Status Arrange(std::vector<BatchRow> rows);

  // Predicts the noise of every row: sample and out [rows, h, w, C] in the
  // type that the device computes in, timesteps [rows] f32, all with the
  // device. Returns the first error known by then; does not wait.
  absl::Status Predict(const kernels::TensorView& sample,
                       const kernels::TensorView& timesteps,
                       const kernels::TensorView& out);

  // UNet calls that one Predict makes.
  int64_t calls() const { return static_cast<int64_t>(groups_.size()); }

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

  const TextToImage& model_;
  const int64_t max_rows_;
  kernels::Stream stream_;
  UNetRunner runner_;
  std::vector<BatchRow> rows_;
  std::vector<kernels::Tensor> keys_;  // each [max_rows, T, 2 C]
  std::vector<Group> groups_;
  int64_t generation_ = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_BATCH_ROWS_H_
