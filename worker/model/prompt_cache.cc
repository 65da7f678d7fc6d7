#include "worker/model/prompt_cache.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/model_parts.h"

namespace tessera::model {

PromptCache::PromptCache(const TextToImage& model, size_t capacity)
    : capacity_(capacity),
      reads_sizes_(model.parts().unet_config.has_added_embedding()),
      encoder_(model),
      keys_(model.parts().unet, model.parts().device) {}

// Puts the text last: digests and numbers hold no "|", so no two uses that
// differ share a key. Sizes count where the model is told them.
std::string PromptCache::KeyOf(const PromptUse& use,
                               const AdapterSet& adapters) const {
  std::string key = absl::StrCat(adapters.key, "|");
  if (reads_sizes_) absl::StrAppend(&key, use.width, "x", use.height);
  absl::StrAppend(&key, use.zeros ? "z|" : "|", use.text);
  return key;
}

absl::StatusOr<std::shared_ptr<const EncodedPrompt>> PromptCache::Get(
    const PromptUse& use, const AdapterSet& adapters) {
  std::string key = KeyOf(use, adapters);
  const auto kept = by_key_.find(key);
  if (kept != by_key_.end()) {
    // Moves the entry to the front; iterators in `by_key_` stay valid.
    entries_.splice(entries_.begin(), entries_, kept->second);
    return entries_.front().prompt;
  }
  ASSIGN_OR_RETURN(EncodedPrompt encoded, Encode(use, adapters));
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

// Runs the text encoders and every cross-attention's projection.
absl::StatusOr<EncodedPrompt> PromptCache::Encode(const PromptUse& use,
                                                  const AdapterSet& adapters) {
  ASSIGN_OR_RETURN(PromptEmbeddings text, encoder_.Encode(use, adapters));
  EncodedPrompt encoded{.token_ids = std::move(text.token_ids),
                        .embeddings = std::move(text.embeddings),
                        .keys = {},
                        .pooled = std::move(text.pooled),
                        .added = std::move(text.added)};
  ASSIGN_OR_RETURN(encoded.keys,
                   keys_.Project(encoded.embeddings.view(), adapters));
  ++encoded_;
  return encoded;
}

}  // namespace tessera::model
