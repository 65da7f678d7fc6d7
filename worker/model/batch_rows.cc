#include "worker/model/batch_rows.h"

#include <cstring>
#include <utility>

#include "common/check.h"
#include "common/status_macros.h"
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
  }
}

// Copies the keys of every cross-attention to one row.
void BatchRows::CopyKeys(size_t row, const EncodedPrompt& prompt) {
  const auto index = static_cast<int64_t>(row);
  for (size_t layer = 0; layer < keys_.size(); ++layer) {
    const Tensor& from = prompt.keys[layer];
    std::memcpy(keys_[layer].view().Slice(index, index + 1).data,
                from.view().data, static_cast<size_t>(from.bytes()));
  }
}

// Makes rows [begin, end), which run by the same weights, one call.
void BatchRows::AddGroup(size_t begin, size_t end) {
  std::vector<std::vector<AdapterUse>> adapters;
  for (size_t row = begin; row < end; ++row) {
    adapters.push_back(rows_[row].adapters->by_row);
  }
  const MergedNets* const merged = rows_[begin].adapters->merged.get();
  Group group{.begin = static_cast<int64_t>(begin),
              .end = static_cast<int64_t>(end),
              .merged = merged == nullptr ? nullptr : &merged->unet,
              .adapters = AdapterRows(AdapterNet::kUNet,
                                      model_.parts().unet.table(), adapters),
              .generation = ++generation_};
  for (const Tensor& keys : keys_) {
    group.keys.push_back(keys.view().Slice(group.begin, group.end));
  }
  groups_.push_back(std::move(group));
}

void BatchRows::Arrange(std::vector<BatchRow> rows) {
  // Is kept by the batch: each picture has at most a prompt and a negative
  // prompt.
  CHECK(static_cast<int64_t>(rows.size()) <= max_rows_);
  if (keys_.empty() && !rows.empty()) AllocateKeys(*rows.front().prompt);
  for (size_t row = 0; row < rows.size(); ++row) {
    const EncodedPrompt& prompt = *rows[row].prompt;
    // Compares addresses: the old row holds its prompt, so the address is of no
    // other. A prompt that stays at its row costs no copy.
    if (row < rows_.size() && rows_[row].prompt.get() == &prompt) continue;
    CopyKeys(row, prompt);
  }
  rows_ = std::move(rows);
  // Cuts the rows where the weights change; rows come sorted by weights.
  groups_.clear();
  for (size_t begin = 0, end = 0; begin < rows_.size(); begin = end) {
    while (end < rows_.size() &&
           SameWeights(*rows_[begin].adapters, *rows_[end].adapters)) {
      ++end;
    }
    AddGroup(begin, end);
  }
}

absl::Status BatchRows::Predict(const TensorView& sample,
                                const TensorView& timesteps,
                                const TensorView& out) {
  for (Group& group : groups_) {
    const UNetInput input{.sample = sample.Slice(group.begin, group.end),
                          .timesteps = timesteps.Slice(group.begin, group.end),
                          .keys = group.keys};
    RETURN_IF_ERROR(
        runner_.Run(input, {&group.adapters, group.merged, group.generation},
                    out.Slice(group.begin, group.end)));
  }
  return absl::OkStatus();
}

}  // namespace tessera::model
