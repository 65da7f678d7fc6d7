// One rank's part of the UNet, and the micro-batches that pass through it.
#ifndef TESSERA_WORKER_PIPELINE_STAGE_H_
#define TESSERA_WORKER_PIPELINE_STAGE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "kernels/device.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"
#include "worker/model/batch_rows.h"
#include "worker/model/unet.h"
#include "worker/model/unet_runner.h"
#include "worker/pipeline/channel.h"
#include "worker/pipeline/schedule.h"
#include "worker/pipeline/skip_routes.h"
#include "worker/pipeline/stage_events.h"

namespace tessera::pipeline {

struct StageOptions {
  Layout layout;  // has passed CheckLayout
  int micro_batches = 0;
  int64_t max_rows = 0;  // of a micro-batch
  // How long a rank waits for what another must send by now.
  absl::Duration patience = absl::InfiniteDuration();
  StageEvents* events = nullptr;  // must outlive the stage; null: none
};

// What a micro-batch is in the round at hand.
struct MicroBatchCall {
  int64_t rows = 0;               // 0: it is empty
  kernels::Shape latents;         // [rows, h, w, C]
  kernels::TensorView timesteps;  // [rows] f32, with the device
};

// Runs the visits of the channel's rank: takes what its segment reads from
// other ranks, computes it, and sends on what they read. Keeps the skips of
// every micro-batch between its visits. A pair of ranks exchanges the same
// tensors in the same order at both ends, which follows from the layout.
//
// Thread-compatible; one thread uses it. Borrows everything.
class Stage {
 public:
  // `unet` has the pieces of the channel's rank.
  Stage(const model::UNet& unet, kernels::Device& device,
        const StageOptions& options, Channel& channel, Clock& clock);

  // The rows of a micro-batch and the keys of their prompts.
  model::BatchRows& rows(int micro_batch) {
    return *slots_[static_cast<size_t>(micro_batch)].rows;
  }

  // Sets what a micro-batch is from its first visit on. Errors: those of the
  // device's memory.
  absl::Status Begin(int micro_batch, const MicroBatchCall& call);

  // Makes a visit; nothing happens to an empty micro-batch. The first segment
  // of the UNet reads `latents` and the last one writes `prediction`; others
  // ignore them. Errors: those of the channel and of ops.
  absl::Status Run(const Visit& visit, const kernels::TensorView& latents,
                   const kernels::TensorView& prediction);

  const Layout& layout() const { return options_.layout; }

 private:
  // A micro-batch and the memory that it has at this rank.
  struct Slot {
    std::unique_ptr<model::BatchRows> rows;
    MicroBatchCall call;
    kernels::Shape allocated;  // what the tensors are for: [max_rows, h, w, C]
    // By number of skip; those that cross a segment's border at this rank.
    std::vector<std::optional<kernels::Tensor>> skips;
    // By segment: what it reads and writes, where that is not elsewhere.
    std::vector<kernels::Tensor> inputs;
    std::vector<kernels::Tensor> outputs;
  };

  absl::Status Allocate(Slot& slot);
  kernels::Shape HiddenShape(const Slot& slot, size_t border) const;
  bool Mine(int segment) const;
  int RankOf(int segment) const;
  std::optional<kernels::TensorView> Skip(const Slot& slot, int skip) const;
  kernels::TensorView Output(const Slot& slot, int segment,
                             const kernels::TensorView& prediction) const;
  absl::Status ReceiveInputs(const Visit& visit, const Slot& slot,
                             const kernels::TensorView& hidden);
  absl::Status SendOutputs(const Visit& visit, const Slot& slot,
                           const kernels::TensorView& out);
  absl::Status Compute(const Visit& visit, Slot& slot,
                       const kernels::TensorView& hidden,
                       const kernels::TensorView& out);
  absl::Status Send(int peer, const kernels::TensorView& tensor);
  absl::Status Receive(int peer, const kernels::TensorView& tensor);

  const model::UNet& unet_;
  kernels::Stream stream_;
  const StageOptions options_;
  Channel& channel_;
  Clock& clock_;
  const std::vector<SkipRoute> routes_;
  model::UNetRunner runner_;
  std::vector<Slot> slots_;
  // On the host, for tensors of a device; grows.
  kernels::Tensor staging_;
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_STAGE_H_
