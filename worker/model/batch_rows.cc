#include "worker/model/batch_rows.h"

#include <array>
#include <optional>
#include <span>
#include <utility>

#include "common/check.h"
#include "common/status_macros.h"
#include "kernels/ops/copy.h"
#include "worker/model/model_parts.h"

namespace tessera::model {

using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

BatchRows::BatchRows(const TextToImage& model, int64_t max_rows)
    : unet_(model.parts().unet),
      max_rows_(max_rows),
      stream_(model.parts().device),
      own_runner_(std::make_unique<UNetRunner>(unet_, model.parts().device, 1)),
      runner_(*own_runner_) {}

BatchRows::BatchRows(const UNet& unet, kernels::Device& device,
                     UNetRunner& runner, int64_t max_rows)
    : unet_(unet), max_rows_(max_rows), stream_(device), runner_(runner) {}

// Allocates once, when the first prompt tells tokens and widths: the keys of
// every prompt of a model have the same shapes.
absl::Status BatchRows::AllocateKeys(const EncodedPrompt& prompt) {
  std::vector<Tensor> keys;
  for (const Tensor& one : prompt.keys) {
    ASSIGN_OR_RETURN(
        Tensor rows,
        Tensor::Create(stream_.device(),
                       Shape{max_rows_, one.shape()[1], one.shape()[2]},
                       one.dtype()));
    keys.push_back(std::move(rows));
  }
  if (prompt.added.shape().elements() > 0) {
    ASSIGN_OR_RETURN(added_,
                     Tensor::Create(stream_.device(),
                                    Shape{max_rows_, prompt.added.shape()[1]},
                                    prompt.added.dtype()));
  }
  keys_ = std::move(keys);
  allocated_ = true;
  return absl::OkStatus();
}

// Copies the keys of every cross-attention, and what is added to the time
// embedding, to one row.
void BatchRows::CopyKeys(size_t row, const EncodedPrompt& prompt) {
  const auto index = static_cast<int64_t>(row);
  for (size_t layer = 0; layer < keys_.size(); ++layer) {
    kernels::Copy(stream_,
                  {.source = prompt.keys[layer].view(),
                   .out = keys_[layer].view().Slice(index, index + 1)});
  }
  if (added_.shape().elements() > 0) {
    kernels::Copy(stream_, {.source = prompt.added.view(),
                            .out = added_.view().Slice(index, index + 1)});
  }
}

// Makes rows [begin, end), which run by the same weights, one call.
void BatchRows::AddGroup(size_t begin, size_t end) {
  std::vector<std::vector<AdapterUse>> adapters;
  for (size_t row = begin; row < end; ++row) {
    adapters.push_back(rows_[row].adapters->by_row);
  }
  const MergedNets* const merged = rows_[begin].adapters->merged.get();
  Group group{
      .begin = static_cast<int64_t>(begin),
      .end = static_cast<int64_t>(end),
      .merged = merged == nullptr ? nullptr : &merged->unet,
      .adapters = AdapterRows(AdapterNet::kUNet, unet_.table(), adapters),
      .generation = runner_.NextGeneration()};
  for (const Tensor& keys : keys_) {
    group.keys.push_back(keys.view().Slice(group.begin, group.end));
  }
  groups_.push_back(std::move(group));
}

absl::Status BatchRows::Arrange(std::vector<BatchRow> rows) {
  // Is kept by the batch: each picture has at most a prompt and a negative
  // prompt.
  CHECK(static_cast<int64_t>(rows.size()) <= max_rows_);
  if (!allocated_ && !rows.empty()) {
    RETURN_IF_ERROR(AllocateKeys(*rows.front().prompt));
  }
  groups_.clear();
  for (size_t row = 0; row < rows.size(); ++row) {
    const EncodedPrompt& prompt = *rows[row].prompt;
    // Compares addresses: the old row holds its prompt, so the address is of no
    // other. A prompt that stays at its row costs no copy.
    if (row < rows_.size() && rows_[row].prompt.get() == &prompt) continue;
    CopyKeys(row, prompt);
  }
  // Forgets all rows on an error, so that the next call copies them anew.
  rows_.clear();
  RETURN_IF_ERROR(stream_.TakeError());
  rows_ = std::move(rows);
  // Cuts the rows where the weights change; rows come sorted by weights.
  for (size_t begin = 0, end = 0; begin < rows_.size(); begin = end) {
    while (end < rows_.size() &&
           SameWeights(*rows_[begin].adapters, *rows_[end].adapters)) {
      ++end;
    }
    AddGroup(begin, end);
  }
  return absl::OkStatus();
}

absl::Status BatchRows::Predict(const TensorView& sample,
                                const TensorView& timesteps,
                                const TensorView& out) {
  return RunSegment({.pieces = {0, unet_.pieces().size()},
                     .hidden = sample,
                     .parked = {},
                     .out = out},
                    sample, timesteps);
}

// Gives each group its rows of everything.
absl::Status BatchRows::RunSegment(const UNetSegment& segment,
                                   const TensorView& sample,
                                   const TensorView& timesteps) {
  std::array<std::optional<TensorView>, UNetState::kMaxSkips> parked;
  CHECK(segment.parked.size() <= parked.size());
  for (Group& group : groups_) {
    for (size_t i = 0; i < segment.parked.size(); ++i) {
      const std::optional<TensorView>& skip = segment.parked[i];
      if (skip) parked[i] = skip->Slice(group.begin, group.end);
    }
    const UNetInput input{
        .sample = sample.Slice(group.begin, group.end),
        .timesteps = timesteps.Slice(group.begin, group.end),
        .keys = group.keys,
        .added = added_.shape().elements() > 0
                     ? added_.view().Slice(group.begin, group.end)
                     : TensorView()};
    RETURN_IF_ERROR(runner_.RunSegment(
        {.pieces = segment.pieces,
         .hidden = segment.hidden.Slice(group.begin, group.end),
         .parked = std::span(parked).first(segment.parked.size()),
         .out = segment.out.Slice(group.begin, group.end)},
        input, {&group.adapters, group.merged, group.generation}));
  }
  return absl::OkStatus();
}

}  // namespace tessera::model
