// Runs the UNet in planned memory.
#ifndef TESSERA_WORKER_MODEL_UNET_RUNNER_H_
#define TESSERA_WORKER_MODEL_UNET_RUNNER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/device.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/merged_layers.h"
#include "worker/model/shape_arenas.h"
#include "worker/model/unet.h"

namespace tessera::model {

// Adapters of the rows of a call.
struct RowAdapters {
  AdapterRows* rows = nullptr;           // null: none
  const MergedLayers* merged = nullptr;  // of all rows; null: none
  // Differs whenever `rows` does, from 1: adapters of convolutions need
  // memory of their own, so the plan depends on them.
  int64_t generation = 0;
};

// A UNet with a stream and the arenas of the shapes used last. Thread-
// compatible. Borrows the UNet and the device.
class UNetRunner {
 public:
  // Runs a UNet of which `segments` parts are asked for in turn.
  UNetRunner(const UNet& unet, kernels::Device& device, size_t segments);

  // Computes the prediction into out [N, h, w, out_channels]. The first call
  // of a shape plans it; the calls after it allocate no heap memory, and are
  // replayed where the device can. Returns the first error known by then, or
  // RESOURCE_EXHAUSTED when the device has too little memory for the shape
  // even without the plans of others; does not wait.
  absl::Status Run(const UNetInput& input, const RowAdapters& adapters,
                   const kernels::TensorView& out);

  // Does the same for a part of the net.
  absl::Status RunSegment(const UNetSegment& segment, const UNetInput& input,
                          const RowAdapters& adapters);

  // Returns a number for RowAdapters that no other adapters have.
  int64_t NextGeneration() { return ++generation_; }

  // Gives back the memory of all shapes; the next call plans anew. Nothing may
  // be queued that reads it.
  void ReleaseMemory() { arenas_.Clear(); }

 private:
  const UNet& unet_;
  kernels::Stream stream_;
  ShapeArenas arenas_;
  int64_t generation_ = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_UNET_RUNNER_H_
