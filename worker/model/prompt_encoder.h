// From a prompt to what the UNet reads of it, before its own projections.
#ifndef TESSERA_WORKER_MODEL_PROMPT_ENCODER_H_
#define TESSERA_WORKER_MODEL_PROMPT_ENCODER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/arena.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_set.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// A prompt as a picture uses it.
struct PromptUse {
  std::string text;    // UTF-8
  bool zeros = false;  // embeddings of zeros whatever the text
  // Of the picture in pixels; read by models that are told sizes.
  int width = 0;
  int height = 0;
};

// What the text encoders make of a prompt; tensors lie with the model's device,
// in the type that it computes in.
struct PromptEmbeddings {
  std::vector<int32_t> token_ids;  // [T] of the first tokenizer, on the host
  kernels::Tensor embeddings;      // [1, T, C]
  // Of models of the XL kind alone.
  kernels::Tensor pooled;  // [1, P]
  kernels::Tensor added;   // [1, E], added to the time embedding
};

// Runs the text encoders of a model: one, or for models of the XL kind two,
// whose penultimate hidden states stand side by side. Thread-compatible.
// Borrows the model.
class PromptEncoder {
 public:
  explicit PromptEncoder(const TextToImage& model);

  // Encodes a prompt under a set of adapters. Errors: the first of an op or of
  // the device's memory; waits for neither.
  absl::StatusOr<PromptEmbeddings> Encode(const PromptUse& use,
                                          const AdapterSet& adapters);

 private:
  absl::Status EncodeOne(const AdapterSet& adapters, PromptEmbeddings& out);
  absl::Status EncodeBoth(const PromptUse& use, const AdapterSet& adapters,
                          PromptEmbeddings& out);
  absl::Status AddSizes(const PromptUse& use, const AdapterSet& adapters,
                        PromptEmbeddings& out);

  const TextToImage& model_;
  kernels::Stream stream_;
  kernels::Arena text_arena_;
  kernels::Arena added_arena_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_PROMPT_ENCODER_H_
