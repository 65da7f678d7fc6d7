// What the cross-attentions of a UNet read of a prompt.
#ifndef TESSERA_WORKER_MODEL_TEXT_KEYS_H_
#define TESSERA_WORKER_MODEL_TEXT_KEYS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "kernels/arena.h"
#include "kernels/device.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"
#include "worker/model/adapter_set.h"
#include "worker/model/unet.h"

namespace tessera::model {

// Projects text embeddings to the keys and values of every cross-attention
// that a UNet, or a part of one, has. Thread-compatible. Borrows both.
class TextKeyProjector {
 public:
  TextKeyProjector(const UNet& unet, kernels::Device& device);

  // Returns each cross-attention's [1, T, 2 C] of embeddings [1, T, C] under a
  // set of adapters; those of the UNet's to_k and to_v apply here, once a
  // prompt. Errors: the first of an op or of the device's memory; waits for
  // neither.
  absl::StatusOr<std::vector<kernels::Tensor>> Project(
      const kernels::TensorView& embeddings, const AdapterSet& adapters);

 private:
  const UNet& unet_;
  kernels::Stream stream_;
  kernels::Arena arena_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_TEXT_KEYS_H_
