#include "worker/model/prompt_cache.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/model_parts.h"

namespace tessera::model {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

PromptCache::PromptCache(const TextToImage& model, size_t capacity)
    : model_(model), capacity_(capacity), stream_(model.parts().device) {}

absl::StatusOr<std::shared_ptr<const EncodedPrompt>> PromptCache::Get(
    const std::string& prompt, const AdapterSet& adapters) {
  // Puts the set first: digests and numbers hold no "|", so no two pairs share
  // a key.
  std::string key = absl::StrCat(adapters.key, "|", prompt);
  const auto kept = by_key_.find(key);
  if (kept != by_key_.end()) {
    // Moves the entry to the front; iterators in `by_key_` stay valid.
    entries_.splice(entries_.begin(), entries_, kept->second);
    return entries_.front().prompt;
  }
  ASSIGN_OR_RETURN(EncodedPrompt encoded, Encode(prompt, adapters));
  // Forgets the one used longest ago; pictures that hold it keep it alive.
  if (entries_.size() >= capacity_ && !entries_.empty()) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front(
      {key, std::make_shared<const EncodedPrompt>(std::move(encoded))});
  by_key_[std::move(key)] = entries_.begin();
  return entries_.front().prompt;
}

// Runs the text encoder and every cross-attention's projection.
absl::StatusOr<EncodedPrompt> PromptCache::Encode(const std::string& prompt,
                                                  const AdapterSet& adapters) {
  EncodedPrompt encoded;
  encoded.token_ids = model_.parts().tokenizer.Encode(prompt);
  RETURN_IF_ERROR(ComputeEmbeddings(adapters, encoded));
  RETURN_IF_ERROR(ComputeKeys(adapters, encoded));
  ++encoded_;
  return encoded;
}

// Encodes one prompt [1, T]; adapters of the text encoder apply here.
absl::Status PromptCache::ComputeEmbeddings(const AdapterSet& adapters,
                                            EncodedPrompt& encoded) {
  const ClipTextEncoder& encoder = model_.parts().text_encoder;
  const auto tokens = static_cast<int64_t>(encoded.token_ids.size());
  kernels::Device& device = model_.parts().device;
  ASSIGN_OR_RETURN(encoded.embeddings,
                   Tensor::Create(device, Shape{1, tokens, encoder.width()},
                                  device.compute_dtype()));
  AdapterRows rows(AdapterNet::kTextEncoder, encoder.table(),
                   {adapters.by_row});
  const Pass pass{
      stream_, text_arena_, rows.empty() ? nullptr : &rows,
      adapters.merged == nullptr ? nullptr : &adapters.merged->text_encoder};
  // Borrows the ids, which live as long as `encoded`.
  const TensorView ids{encoded.token_ids.data(), DType::kI32, Shape{1, tokens}};
  return text_arena_.Run(
      stream_, [&] { encoder.Forward(pass, ids, encoded.embeddings.view()); });
}

// Makes keys and values of every cross-attention; adapters of the UNet's to_k
// and to_v apply here, once a prompt.
absl::Status PromptCache::ComputeKeys(const AdapterSet& adapters,
                                      EncodedPrompt& encoded) {
  const UNet& unet = model_.parts().unet;
  const int64_t tokens = encoded.embeddings.shape()[1];
  kernels::Device& device = model_.parts().device;
  for (const Linear* layer : unet.text_keys()) {
    ASSIGN_OR_RETURN(Tensor keys,
                     Tensor::Create(device, Shape{1, tokens, layer->outputs()},
                                    device.compute_dtype()));
    encoded.keys.push_back(std::move(keys));
  }
  AdapterRows rows(AdapterNet::kUNet, unet.table(), {adapters.by_row});
  const Pass pass{
      stream_, keys_arena_, rows.empty() ? nullptr : &rows,
      adapters.merged == nullptr ? nullptr : &adapters.merged->unet};
  // Plans once for all prompts: linear layers ask for no memory for adapters,
  // so the plan is the same with and without.
  return keys_arena_.Run(stream_, [&] {
    for (size_t i = 0; i < encoded.keys.size(); ++i) {
      unet.text_keys()[i]->Forward(pass, encoded.embeddings.view(),
                                   encoded.keys[i].view(), {});
    }
  });
}

}  // namespace tessera::model
