#include "worker/model/batch_rows.h"

#include <cstring>
#include <utility>

#include "common/check.h"
#include "worker/model/model_parts.h"

namespace tessera::model {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

BatchRows::BatchRows(const TextToImage& model, int64_t max_rows)
    : model_(model),
      max_rows_(max_rows),
      runner_(model.parts().unet, model.parts().device) {}

// Allocates once, when the first prompt tells tokens and widths: the keys of
// every prompt of a model have the same shapes.
void BatchRows::AllocateKeys(const EncodedPrompt& prompt) {
  for (const Tensor& one : prompt.keys) {
    keys_.push_back(
        Tensor(Shape{max_rows_, one.shape()[1], one.shape()[2]}, DType::kF32));
    key_views_.push_back(keys_.back().view());
  }
}

void BatchRows::Arrange(std::vector<BatchRow> rows) {
  // Is kept by the batch: each picture has at most a prompt and a negative
  // prompt.
  CHECK(static_cast<int64_t>(rows.size()) <= max_rows_);
  if (keys_.empty() && !rows.empty()) AllocateKeys(*rows.front().prompt);
  std::vector<std::vector<AdapterUse>> adapters;
  for (size_t row = 0; row < rows.size(); ++row) {
    adapters.push_back(rows[row].adapters);
    const EncodedPrompt& prompt = *rows[row].prompt;
    // Compares addresses: the old row holds its prompt, so the address is of no
    // other. A prompt that stays at its row costs no copy.
    if (row < rows_.size() && rows_[row].prompt.get() == &prompt) continue;
    const auto index = static_cast<int64_t>(row);
    for (size_t layer = 0; layer < keys_.size(); ++layer) {
      const Tensor& from = prompt.keys[layer];
      std::memcpy(keys_[layer].view().Slice(index, index + 1).data,
                  from.view().data, static_cast<size_t>(from.bytes()));
    }
  }
  rows_ = std::move(rows);
  adapters_.emplace(AdapterNet::kUNet, model_.parts().unet.table(), adapters);
  // Tells the runner that a plan made with the old adapters is of no use: their
  // convolutions take memory of their own.
  ++generation_;
}

absl::Status BatchRows::Predict(const TensorView& sample,
                                const TensorView& timesteps,
                                const TensorView& out) {
  const UNetInput input{
      .sample = sample, .timesteps = timesteps, .keys = key_views_};
  return runner_.Run(input, {&*adapters_, generation_}, out);
}

}  // namespace tessera::model
