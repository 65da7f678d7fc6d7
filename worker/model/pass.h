// What every layer needs to run.
#ifndef TESSERA_WORKER_MODEL_PASS_H_
#define TESSERA_WORKER_MODEL_PASS_H_

#include "kernels/arena.h"
#include "kernels/device.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::model {

class AdapterRows;
class MergedLayers;

// One forward pass: where ops go, where activations live, which adapters the
// rows of the batch use (null: none), and the weights that stand for the
// model's own (null: none). Cheap to copy; borrows everything.
struct Pass {
  kernels::Stream& stream;
  kernels::Arena& arena;
  AdapterRows* adapters = nullptr;
  const MergedLayers* merged = nullptr;

  // Returns an activation, in the type that the device computes in, with unset
  // elements.
  kernels::Scratch Allocate(const kernels::Shape& shape) const {
    return arena.Allocate(shape, stream.device().compute_dtype());
  }
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_PASS_H_
