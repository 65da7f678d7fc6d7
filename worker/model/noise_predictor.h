// Who predicts the noise of a batch.
#ifndef TESSERA_WORKER_MODEL_NOISE_PREDICTOR_H_
#define TESSERA_WORKER_MODEL_NOISE_PREDICTOR_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_set.h"
#include "worker/model/prompt_cache.h"

namespace tessera::model {

// What one UNet row sees: a prompt, and the adapters of its picture.
struct BatchRow {
  std::shared_ptr<const EncodedPrompt> prompt;
  std::shared_ptr<const AdapterSet> adapters;
};

// Runs the UNet over the rows of a batch: here, or in a pipeline that other
// processes are stages of. Thread-compatible.
class NoisePredictor {
 public:
  virtual ~NoisePredictor() = default;

  // Sets which rows there are; rows of one merged set must be neighbours.
  // Errors: those of the device's memory or of a copy; there are then no rows.
  virtual absl::Status Arrange(std::vector<BatchRow> rows) = 0;

  // Begins to predict the noise of every row: sample and out [rows, h, w, C]
  // in the type that the device computes in, timesteps [rows] f32, all with
  // the device. They must stay until Finish has returned.
  virtual absl::Status Start(const kernels::TensorView& sample,
                             const kernels::TensorView& timesteps,
                             const kernels::TensorView& out) = 0;

  // Returns when ops may read `out` of the last Start.
  virtual absl::Status Finish() = 0;

  // UNet calls that one prediction makes.
  virtual int64_t calls() const = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_NOISE_PREDICTOR_H_
