// What the nets make of a prompt, kept for the pictures that share it.
#ifndef TESSERA_WORKER_MODEL_PROMPT_CACHE_H_
#define TESSERA_WORKER_MODEL_PROMPT_CACHE_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_set.h"
#include "worker/model/prompt_encoder.h"
#include "worker/model/text_keys.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// A prompt under one adapter set; tensors lie with the model's device, in the
// type that it computes in. Immutable.
struct EncodedPrompt {
  std::vector<int32_t> token_ids;     // [T], on the host
  kernels::Tensor embeddings;         // [1, T, C]
  std::vector<kernels::Tensor> keys;  // each cross-attention's [1, T, 2 C]
  // As in PromptEmbeddings.
  kernels::Tensor pooled;
  kernels::Tensor added;
};

// Encodes every (prompt, adapter set) once and keeps the ones used last. The
// keys and values of cross-attention depend on nothing else, so they are made
// here and not in every step. Thread-compatible. Borrows the model.
class PromptCache {
 public:
  // Keeps up to `capacity` prompts beside those that pictures hold.
  PromptCache(const TextToImage& model, size_t capacity);

  // Returns the prompt under a set of adapters. Errors: the first of an op or
  // of the device's memory; waits for neither.
  absl::StatusOr<std::shared_ptr<const EncodedPrompt>> Get(
      const PromptUse& use, const AdapterSet& adapters);

  // How many prompts were encoded so far.
  int64_t encoded() const { return encoded_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const EncodedPrompt> prompt;
  };

  std::string KeyOf(const PromptUse& use, const AdapterSet& adapters) const;
  absl::StatusOr<EncodedPrompt> Encode(const PromptUse& use,
                                       const AdapterSet& adapters);

  const size_t capacity_;
  const bool reads_sizes_;
  PromptEncoder encoder_;
  TextKeyProjector keys_;
  std::list<Entry> entries_;  // the one used last is first
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> by_key_;
  int64_t encoded_ = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_PROMPT_CACHE_H_
