#include "worker/pipeline/slot_predictor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "common/status_macros.h"
#include "kernels/ops/copy.h"
#include "kernels/transfer.h"
#include "worker/pipeline/head_transfer.h"

namespace tessera::pipeline {

using kernels::Tensor;
using kernels::TensorView;

SlotPredictor::SlotPredictor(int micro_batch, Stage& stage, Channel& channel,
                             kernels::Device& device, const Describer& describe)
    : micro_batch_(micro_batch),
      stage_(stage),
      channel_(channel),
      device_(device),
      describe_(describe) {}

// Keeps the rows for the next head, which tells the other ranks.
absl::Status SlotPredictor::Arrange(std::vector<model::BatchRow> rows) {
  rows_ = rows;
  arranged_ = true;
  return stage_.rows(micro_batch_).Arrange(std::move(rows));
}

int64_t SlotPredictor::calls() const {
  return stage_.rows(micro_batch_).calls();
}

// Copies a tensor [..., columns] to the host in the type that it has.
absl::StatusOr<MatrixBytes> SlotPredictor::ReadMatrix(
    const TensorView& tensor) {
  Tensor host(tensor.shape, tensor.dtype);
  kernels::Stream stream(device_);
  kernels::Copy(stream, {.source = tensor, .out = host.view()});
  RETURN_IF_ERROR(stream.Synchronize());
  MatrixBytes matrix{.dtype = tensor.dtype,
                     .columns = tensor.shape[tensor.shape.rank() - 1]};
  matrix.rows = tensor.shape.elements() / matrix.columns;
  matrix.elements.resize(static_cast<size_t>(host.bytes()));
  std::memcpy(matrix.elements.data(), host.view().data, matrix.elements.size());
  return matrix;
}

// Describes the rows anew, with the embeddings that the others do not have.
absl::StatusOr<MicroBatchHead> SlotPredictor::DescribeRows() {
  MicroBatchHead head{.micro_batch = micro_batch_, .arranged = true};
  decltype(sent_) used;
  for (const model::BatchRow& row : rows_) {
    const auto known = std::find_if(
        sent_.begin(), sent_.end(),
        [&](const auto& numbered) { return numbered.second == row.prompt; });
    int64_t prompt = 0;
    if (known != sent_.end()) {
      prompt = known->first;
    } else {
      prompt = next_prompt_++;
      PromptEmbedding embedding{.prompt = prompt};
      ASSIGN_OR_RETURN(embedding.text,
                       ReadMatrix(row.prompt->embeddings.view()));
      if (!row.prompt->added.empty()) {
        ASSIGN_OR_RETURN(embedding.added, ReadMatrix(row.prompt->added.view()));
      }
      head.prompts.push_back(std::move(embedding));
      sent_[prompt] = row.prompt;
    }
    used[prompt] = row.prompt;
    RowReference reference{.prompt = prompt};
    for (const model::AdapterUse& use : row.adapters->uses) {
      reference.adapters.push_back(describe_(*use.weights));
      reference.adapters.back().scale = use.scale;
    }
    head.rows.push_back(std::move(reference));
  }
  sent_ = std::move(used);
  rows_.clear();
  arranged_ = false;
  return head;
}

absl::Status SlotPredictor::Start(const TensorView& sample,
                                  const TensorView& timesteps,
                                  const TensorView& out) {
  MicroBatchHead head{.micro_batch = micro_batch_};
  if (arranged_) {
    ASSIGN_OR_RETURN(head, DescribeRows());
  }
  ASSIGN_OR_RETURN(const Tensor host, kernels::ToHost(device_, timesteps));
  head.timesteps.assign(host.f32(), host.f32() + host.shape().elements());
  head.height = sample.shape[1];
  head.width = sample.shape[2];
  const int below = stage_.layout().segments[1].rank;
  RETURN_IF_ERROR(SendHead(channel_, below, head));
  RETURN_IF_ERROR(stage_.Begin(micro_batch_, {.rows = sample.shape[0],
                                              .latents = sample.shape,
                                              .timesteps = timesteps}));
  out_ = out;
  return stage_.Run({.segment = 0, .micro_batch = micro_batch_}, sample, {});
}

absl::Status SlotPredictor::Finish() {
  const int last = static_cast<int>(stage_.layout().segments.size()) - 1;
  finish_status_ =
      stage_.Run({.segment = last, .micro_batch = micro_batch_}, {}, out_);
  return finish_status_;
}

absl::Status SlotPredictor::StartEmpty() {
  const int below = stage_.layout().segments[1].rank;
  RETURN_IF_ERROR(
      SendHead(channel_, below, MicroBatchHead{.micro_batch = micro_batch_}));
  return stage_.Begin(micro_batch_, {});
}

}  // namespace tessera::pipeline
