#ifndef TESSERA_WORKER_MODEL_DENOISE_BATCH_H_
#define TESSERA_WORKER_MODEL_DENOISE_BATCH_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// Sees what a batch computes, for inspection. Views are f32 on the host and
// valid during the call.
class DenoiseObserver {
 public:
  virtual ~DenoiseObserver() = default;

  // Token ids [T] of the prompt and its embeddings [T, C].
  virtual void OnPrompt(int64_t ticket, const std::vector<int32_t>& token_ids,
                        const kernels::TensorView& embeddings) = 0;
  // The noise prediction after guidance, [h, w, C], of UNet call `call`
  // (from 0) of the picture.
  virtual void OnNoisePrediction(int64_t ticket, int call,
                                 const kernels::TensorView& noise_pred) = 0;
  // The final latents before the VAE, [h, w, C].
  virtual void OnLatents(int64_t ticket,
                         const kernels::TensorView& latents) = 0;
};

class AdapterSets;
class NoisePredictor;
class PromptCache;

struct DenoiseBatchOptions {
  int capacity = 1;  // pictures, two UNet rows each at most
  // Merged weights to keep, for adapters that cannot be added row by row.
  int64_t merged_bytes = int64_t{1} << 30;
  DenoiseObserver* observer = nullptr;  // must outlive the batch; null: none
  // Predicts the noise instead of the model's own UNet, up to two rows a
  // picture; must outlive the batch; null: none.
  NoisePredictor* predictor = nullptr;
  // What several batches share; must outlive the batch; null: its own.
  AdapterSets* sets = nullptr;
  PromptCache* prompts = nullptr;
};

// A picture that left the batch.
struct Finished {
  int64_t ticket = 0;
  // INTERNAL "latents are not a number" when the picture came to NaN;
  // RESOURCE_EXHAUSTED of every picture when the device has too little memory
  // for so many.
  absl::StatusOr<Image> image;
  double seconds = 0;  // from admission to here
};

// A continuous batch: pictures of one size and of unlike prompts, seeds,
// steps, guidance, samplers and adapters move through the UNet together. A
// picture enters whenever there is room and leaves when its own last step is
// done; what it becomes does not depend, bit for bit, on its neighbours.
//
// Thread-compatible. Uses the model's device; one batch computes at a time.
class DenoiseBatch {
 public:
  // `model` must outlive the batch.
  DenoiseBatch(const TextToImage& model, const DenoiseBatchOptions& options);
  ~DenoiseBatch();

  DenoiseBatch(const DenoiseBatch&) = delete;
  DenoiseBatch& operator=(const DenoiseBatch&) = delete;

  // Says whether there is room and the size is that of the batch. An empty
  // batch takes any size.
  bool CanAdmit(const ImageRequest& request) const;

  // Encodes the prompts (or finds them in the cache), draws the noise and
  // adds the picture under a ticket of the caller's choosing.
  //
  // Errors: INVALID_ARGUMENT as of TextToImage::Validate, FAILED_PRECONDITION
  // when CanAdmit is false, RESOURCE_EXHAUSTED when the device has too little
  // memory; the batch is then unchanged.
  absl::Status Admit(int64_t ticket, ImageRequest request);

  // Makes one UNet call over all rows (and one more for each set of adapters
  // that had to be merged) and one sampler step of each picture.
  // Decodes and returns the pictures that are done, in order of admission.
  // An empty batch returns nothing.
  std::vector<Finished> Step();

  // The halves of Step, for who has several batches under way: StartStep
  // begins the UNet call and FinishStep waits for it. In between no picture
  // enters or leaves. An error of either is the result of every picture that
  // FinishStep returns; StartStep returns its own as well.
  absl::Status StartStep();
  std::vector<Finished> FinishStep();

  // Drops a picture without finishing it; an unknown ticket is ignored.
  void Remove(int64_t ticket);

  // Pictures in the batch.
  int size() const;
  int capacity() const;
  // Where the time went since the batch was made.
  const StageSeconds& seconds() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_DENOISE_BATCH_H_
