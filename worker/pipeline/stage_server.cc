#include "worker/pipeline/stage_server.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "kernels/ops/copy.h"
#include "worker/model/prompt_cache.h"
#include "worker/pipeline/head_transfer.h"

namespace tessera::pipeline {
namespace {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

// Returns the first segment of a rank.
int FirstSegment(const Layout& layout, int rank) {
  const auto found = std::find_if(
      layout.segments.begin(), layout.segments.end(),
      [&](const Segment& segment) { return segment.rank == rank; });
  CHECK(found != layout.segments.end());
  return static_cast<int>(found - layout.segments.begin());
}

}  // namespace

StageServer::StageServer(const model::UNet& unet, kernels::Device& device,
                         const StageOptions& options, int64_t merged_bytes,
                         Channel& channel, AdapterFinder find_adapter,
                         Clock& clock)
    : unet_(unet),
      stream_(device),
      options_(options),
      channel_(channel),
      find_adapter_(std::move(find_adapter)),
      stage_(unet, device, options, channel, clock),
      order_(options.layout, channel.rank(), options.micro_batches),
      keys_(unet, device),
      sets_(unet.table(), device, merged_bytes),
      slots_(static_cast<size_t>(options.micro_batches)) {
  CHECK(channel.rank() > 0);
  first_ = FirstSegment(options.layout, channel.rank());
  // A rank further down hears of a micro-batch where its way first gets there.
  const auto next = static_cast<size_t>(first_) + 1;
  if (next < options.layout.segments.size()) {
    const int rank = options.layout.segments[next].rank;
    if (FirstSegment(options.layout, rank) == static_cast<int>(next)) {
      forward_ = rank;
    }
  }
}

absl::Status StageServer::Serve() {
  absl::Status status;
  while (status.ok()) status = ServeOne();
  channel_.Abort(status);
  return status;
}

absl::Status StageServer::ServeOne() {
  const Visit visit = order_.Next();
  if (visit.segment == first_) RETURN_IF_ERROR(TakeHead(visit.micro_batch));
  return stage_.Run(visit, {}, {});
}

// Waits for the head of a micro-batch for as long as it takes: without
// pictures nothing is sent.
absl::Status StageServer::TakeHead(int micro_batch) {
  const auto before = static_cast<size_t>(first_) - 1;
  ASSIGN_OR_RETURN(const MicroBatchHead head,
                   ReceiveHead(channel_, options_.layout.segments[before].rank,
                               absl::InfiniteFuture()));
  if (head.micro_batch != micro_batch) {
    return absl::InternalError(
        absl::StrCat("micro-batch out of turn: ", head.micro_batch,
                     ", expected ", micro_batch));
  }
  // Goes on before anything is computed, so that the next rank can prepare.
  if (forward_ >= 0) RETURN_IF_ERROR(SendHead(channel_, forward_, head));
  if (head.arranged) RETURN_IF_ERROR(Arrange(head));
  return Begin(head);
}

// Gives the slot the rows that the head names.
absl::Status StageServer::Arrange(const MicroBatchHead& head) {
  Slot& slot = slots_[static_cast<size_t>(head.micro_batch)];
  if (head.rows.size() > static_cast<size_t>(options_.max_rows)) {
    return absl::InvalidArgumentError(
        absl::StrCat("micro-batch has too many rows: ", head.rows.size()));
  }
  std::vector<model::BatchRow> rows;
  decltype(slot.prompts) used;
  for (const RowReference& row : head.rows) {
    model::BatchRow batch_row;
    ASSIGN_OR_RETURN(batch_row.adapters, FindSet(row));
    const auto kept = slot.prompts.find(row.prompt);
    if (kept != slot.prompts.end()) {
      batch_row.prompt = kept->second;
    } else {
      ASSIGN_OR_RETURN(batch_row.prompt,
                       MakePrompt(head, row.prompt, *batch_row.adapters));
      slot.prompts[row.prompt] = batch_row.prompt;
    }
    used[row.prompt] = batch_row.prompt;
    rows.push_back(std::move(batch_row));
  }
  // Forgets the prompts of pictures that have left.
  slot.prompts = std::move(used);
  return stage_.rows(static_cast<int>(head.micro_batch))
      .Arrange(std::move(rows));
}

absl::StatusOr<std::shared_ptr<const model::AdapterSet>> StageServer::FindSet(
    const RowReference& row) {
  std::vector<model::AdapterUse> uses;
  for (const AdapterReference& reference : row.adapters) {
    model::AdapterUse use{.scale = reference.scale};
    ASSIGN_OR_RETURN(use.weights, find_adapter_(reference));
    if (use.weights->digest != reference.digest) {
      return absl::FailedPreconditionError(absl::StrCat(
          "ranks have different files for lora ", reference.name, ": ",
          use.weights->digest, " here, ", reference.digest, " on rank 0"));
    }
    uses.push_back(std::move(use));
  }
  return sets_.Prepare(std::move(uses));
}

// Makes the keys of a prompt whose embeddings came with the head.
absl::StatusOr<std::shared_ptr<const model::EncodedPrompt>>
StageServer::MakePrompt(const MicroBatchHead& head, int64_t prompt,
                        const model::AdapterSet& adapters) {
  const auto found = std::find_if(
      head.prompts.begin(), head.prompts.end(),
      [&](const PromptEmbedding& one) { return one.prompt == prompt; });
  if (found == head.prompts.end()) {
    return absl::InternalError(
        absl::StrCat("embeddings were not sent of prompt: ", prompt));
  }
  model::EncodedPrompt encoded;
  ASSIGN_OR_RETURN(
      encoded.embeddings,
      ToDevice(found->text, Shape{1, found->text.rows, found->text.columns}));
  if (found->added.rows > 0) {
    ASSIGN_OR_RETURN(encoded.added,
                     ToDevice(found->added, Shape{1, found->added.columns}));
  }
  ASSIGN_OR_RETURN(encoded.keys,
                   keys_.Project(encoded.embeddings.view(), adapters));
  return std::make_shared<const model::EncodedPrompt>(std::move(encoded));
}

// Copies what came with a head to the device.
absl::StatusOr<Tensor> StageServer::ToDevice(const MatrixBytes& matrix,
                                             const Shape& shape) {
  constexpr int64_t kLargest = int64_t{1} << 24;
  const bool good = shape.rank() > 0 && matrix.rows > 0 && matrix.columns > 0 &&
                    matrix.rows < kLargest && matrix.columns < kLargest;
  if (!good || static_cast<size_t>(matrix.rows * matrix.columns *
                                   kernels::SizeOf(matrix.dtype)) !=
                   matrix.elements.size()) {
    return absl::InvalidArgumentError("embeddings have another size");
  }
  Tensor host(shape, matrix.dtype);
  std::memcpy(host.view().data, matrix.elements.data(), matrix.elements.size());
  ASSIGN_OR_RETURN(Tensor tensor,
                   Tensor::Create(stream_.device(), shape, matrix.dtype));
  kernels::Copy(stream_, {.source = host.view(), .out = tensor.view()});
  RETURN_IF_ERROR(stream_.TakeError());
  return tensor;
}

// Tells the stage the size and the timesteps of this round.
absl::Status StageServer::Begin(const MicroBatchHead& head) {
  Slot& slot = slots_[static_cast<size_t>(head.micro_batch)];
  MicroBatchCall call;
  call.rows = static_cast<int64_t>(head.timesteps.size());
  if (call.rows > options_.max_rows || head.height < 0 || head.width < 0) {
    return absl::InvalidArgumentError("micro-batch of a size that cannot be");
  }
  call.latents =
      Shape{call.rows, head.height, head.width, unet_.pieces().back().outputs};
  if (slot.timesteps.empty()) {
    ASSIGN_OR_RETURN(slot.timesteps,
                     Tensor::Create(stream_.device(), Shape{options_.max_rows},
                                    DType::kF32));
  }
  if (call.rows > 0) {
    call.timesteps = slot.timesteps.view().Slice(0, call.rows);
    // Reads only: a view has no constant form.
    const TensorView host{const_cast<float*>(head.timesteps.data()),
                          DType::kF32, Shape{call.rows}};
    kernels::Copy(stream_, {.source = host, .out = call.timesteps});
    RETURN_IF_ERROR(stream_.TakeError());
  }
  return stage_.Begin(static_cast<int>(head.micro_batch), call);
}

}  // namespace tessera::pipeline
