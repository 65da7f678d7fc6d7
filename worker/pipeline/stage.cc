#include "worker/pipeline/stage.h"

#include <utility>

#include "common/check.h"
#include "common/status_macros.h"
#include "kernels/ops/copy.h"

namespace tessera::pipeline {

using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

Stage::Stage(const model::UNet& unet, kernels::Device& device,
             const StageOptions& options, Channel& channel, Clock& clock)
    : unet_(unet),
      stream_(device),
      options_(options),
      channel_(channel),
      clock_(clock),
      routes_(FindSkipRoutes(options.layout, unet.pieces())),
      runner_(unet, device, 2) {
  slots_.resize(static_cast<size_t>(options.micro_batches));
  for (Slot& slot : slots_) {
    slot.rows = std::make_unique<model::BatchRows>(unet, device, runner_,
                                                   options.max_rows);
    slot.skips.resize(model::UNetState::kMaxSkips);
    slot.inputs.resize(options.layout.segments.size());
    slot.outputs.resize(options.layout.segments.size());
  }
}

int Stage::RankOf(int segment) const {
  return options_.layout.segments[static_cast<size_t>(segment)].rank;
}

bool Stage::Mine(int segment) const {
  return RankOf(segment) == channel_.rank();
}

// Returns the shape of what crosses the border before piece `border`, for as
// many rows as the slot has memory for.
Shape Stage::HiddenShape(const Slot& slot, size_t border) const {
  if (border == 0) return slot.allocated;
  return unet_.OutputShape(unet_.pieces()[border - 1], slot.allocated);
}

absl::Status Stage::Begin(int micro_batch, const MicroBatchCall& call) {
  CHECK(call.rows <= options_.max_rows);
  Slot& slot = slots_[static_cast<size_t>(micro_batch)];
  slot.call = call;
  if (call.rows == 0) return absl::OkStatus();
  const Shape all{options_.max_rows, call.latents[1], call.latents[2],
                  call.latents[3]};
  if (slot.allocated == all) return absl::OkStatus();
  slot.allocated = all;
  return Allocate(slot);
}

// Makes the tensors that outlive a visit. An output that is a parked skip has
// no tensor of its own.
absl::Status Stage::Allocate(Slot& slot) {
  kernels::Device& device = stream_.device();
  const auto create = [&](const Shape& shape) {
    return Tensor::Create(device, shape, device.compute_dtype());
  };
  for (const SkipRoute& route : routes_) {
    if (!Mine(route.saved) && !Mine(route.taken)) continue;
    ASSIGN_OR_RETURN(slot.skips[static_cast<size_t>(route.skip)],
                     create(HiddenShape(slot, route.piece + 1)));
  }
  const auto& segments = options_.layout.segments;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!Mine(static_cast<int>(i))) continue;
    if (i > 0) {
      ASSIGN_OR_RETURN(slot.inputs[i],
                       create(HiddenShape(slot, segments[i].begin)));
    }
    if (i + 1 < segments.size()) {
      ASSIGN_OR_RETURN(slot.outputs[i],
                       create(HiddenShape(slot, segments[i].end)));
    }
  }
  return absl::OkStatus();
}

// Returns the rows at hand of a skip that lies at this rank.
std::optional<TensorView> Stage::Skip(const Slot& slot, int skip) const {
  const auto& tensor = slot.skips[static_cast<size_t>(skip)];
  if (!tensor.has_value()) return std::nullopt;
  return tensor->view().Slice(0, slot.call.rows);
}

// Returns what a segment writes: the prediction at the end, the skip that its
// last piece saves, or a tensor of its own.
TensorView Stage::Output(const Slot& slot, int segment,
                         const TensorView& prediction) const {
  const auto index = static_cast<size_t>(segment);
  const Segment& at = options_.layout.segments[index];
  if (index + 1 == options_.layout.segments.size()) return prediction;
  if (at.begin < at.end) {
    const int saves = unet_.pieces()[at.end - 1].saves_skip;
    if (saves >= 0) {
      if (const auto skip = Skip(slot, saves)) return *skip;
    }
  }
  return slot.outputs[index].view().Slice(0, slot.call.rows);
}

absl::Status Stage::Run(const Visit& visit, const TensorView& latents,
                        const TensorView& prediction) {
  Slot& slot = slots_[static_cast<size_t>(visit.micro_batch)];
  if (slot.call.rows == 0) return absl::OkStatus();
  const auto index = static_cast<size_t>(visit.segment);
  const Segment& segment = options_.layout.segments[index];
  const bool nothing = segment.begin == segment.end;
  const TensorView out = Output(slot, visit.segment, prediction);
  TensorView hidden = latents;
  // Writes what nothing changes to where it is wanted.
  if (index > 0) {
    hidden = nothing ? out : slot.inputs[index].view().Slice(0, slot.call.rows);
  }
  const absl::Time begin = clock_.Now();
  RETURN_IF_ERROR(ReceiveInputs(visit, slot, hidden));
  const absl::Time received = clock_.Now();
  if (!nothing) RETURN_IF_ERROR(Compute(visit, slot, hidden, out));
  const absl::Time end = clock_.Now();
  const int64_t before = channel_.bytes_sent();
  RETURN_IF_ERROR(SendOutputs(visit, slot, out));
  if (options_.events != nullptr) {
    options_.events->OnVisit(visit, begin, received, end,
                             channel_.bytes_sent() - before);
  }
  return absl::OkStatus();
}

// Receives the hidden picture, then the skips by number.
absl::Status Stage::ReceiveInputs(const Visit& visit, const Slot& slot,
                                  const TensorView& hidden) {
  if (visit.segment > 0) {
    RETURN_IF_ERROR(Receive(RankOf(visit.segment - 1), hidden));
  }
  for (const SkipRoute& route : routes_) {
    if (route.taken != visit.segment || Mine(route.saved)) continue;
    RETURN_IF_ERROR(Receive(RankOf(route.saved), *Skip(slot, route.skip)));
  }
  return absl::OkStatus();
}

// Sends in the order in which the others receive.
absl::Status Stage::SendOutputs(const Visit& visit, const Slot& slot,
                                const TensorView& out) {
  const auto next = static_cast<size_t>(visit.segment) + 1;
  if (next < options_.layout.segments.size()) {
    RETURN_IF_ERROR(Send(RankOf(visit.segment + 1), out));
  }
  for (const SkipRoute& route : routes_) {
    if (route.saved != visit.segment || Mine(route.taken)) continue;
    RETURN_IF_ERROR(Send(RankOf(route.taken), *Skip(slot, route.skip)));
  }
  return absl::OkStatus();
}

absl::Status Stage::Compute(const Visit& visit, Slot& slot,
                            const TensorView& hidden, const TensorView& out) {
  const Segment& at =
      options_.layout.segments[static_cast<size_t>(visit.segment)];
  std::array<std::optional<TensorView>, model::UNetState::kMaxSkips> parked;
  for (const SkipRoute& route : routes_) {
    if (route.saved != visit.segment && route.taken != visit.segment) continue;
    parked[static_cast<size_t>(route.skip)] = Skip(slot, route.skip);
  }
  TensorView sample = hidden;
  // Gives the shape of the latents; only the first piece reads them.
  sample.shape = slot.call.latents;
  RETURN_IF_ERROR(slot.rows->RunSegment({.pieces = {at.begin, at.end},
                                         .hidden = hidden,
                                         .parked = parked,
                                         .out = out},
                                        sample, slot.call.timesteps));
  return stream_.Synchronize();
}

// Sends by way of the host what lies with a device.
absl::Status Stage::Send(int peer, const TensorView& tensor) {
  if (tensor.place == kernels::Place::kHost) {
    return channel_.Send(peer, tensor);
  }
  staging_ = Tensor(tensor.shape, tensor.dtype);
  kernels::Copy(stream_, {.source = tensor, .out = staging_.view()});
  RETURN_IF_ERROR(stream_.Synchronize());
  return channel_.Send(peer, staging_.view());
}

absl::Status Stage::Receive(int peer, const TensorView& tensor) {
  const absl::Time deadline = clock_.Now() + options_.patience;
  if (tensor.place == kernels::Place::kHost) {
    return channel_.Receive(peer, tensor, deadline);
  }
  staging_ = Tensor(tensor.shape, tensor.dtype);
  RETURN_IF_ERROR(channel_.Receive(peer, staging_.view(), deadline));
  kernels::Copy(stream_, {.source = staging_.view(), .out = tensor});
  return stream_.TakeError();
}

}  // namespace tessera::pipeline
