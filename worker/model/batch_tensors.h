// The pictures of a batch on their way, as tensors.
#ifndef TESSERA_WORKER_MODEL_BATCH_TENSORS_H_
#define TESSERA_WORKER_MODEL_BATCH_TENSORS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// The latents of the pictures of a batch, a row a place, and what a UNet call
// reads and writes, up to two rows a picture. Lies with the model's device but
// for what says otherwise. Thread-compatible. Borrows the model.
class BatchTensors {
 public:
  BatchTensors(const TextToImage& model, int64_t capacity);

  // Allocates for pictures of a size, given in pixels; what was there is lost
  // unless they have that size already. Errors: those of the device's memory;
  // there is then no size.
  absl::Status UseSize(int width, int height);
  int width() const { return width_; }
  int height() const { return height_; }

  // Queues that the noise of `request` times `scale` becomes the latents of a
  // place.
  void WriteNoise(const ImageRequest& request, float scale, int64_t place);
  // Queues that the latents of a place become those of the place before it.
  void MoveDown(int64_t place);
  // Returns the latents of a place on the host, valid until the next call.
  // Waits. Errors: the first of the stream.
  absl::StatusOr<kernels::TensorView> Read(int64_t place);

  // Latents of the first `pictures` places, f32 [pictures, h, w, C].
  kernels::TensorView Latents(int64_t pictures) const {
    return latents_.view().Slice(0, pictures);
  }
  // Inputs and outputs of UNet rows, [rows, h, w, C] in the compute type.
  kernels::TensorView Samples(int64_t rows) const {
    return samples_.view().Slice(0, rows);
  }
  kernels::TensorView Outputs(int64_t rows) const {
    return outputs_.view().Slice(0, rows);
  }

  // The timesteps of the rows, on the host, to be written.
  float* host_timesteps() { return host_timesteps_.f32(); }
  // Queues their copy to the device; returns them there, f32 [rows].
  kernels::TensorView SendTimesteps(int64_t rows);

  // Ops on these tensors go here.
  kernels::Stream& stream() { return stream_; }

 private:
  const TextToImage& model_;
  const int64_t capacity_;
  kernels::Stream stream_;
  int width_ = 0;
  int height_ = 0;
  kernels::Tensor latents_;    // [capacity, h, w, C] f32
  kernels::Tensor samples_;    // [2 capacity, h, w, C]
  kernels::Tensor outputs_;    // [2 capacity, h, w, C]
  kernels::Tensor timesteps_;  // [2 capacity] f32
  // On the host; a picture's latents on their way in or out.
  kernels::Tensor picture_;         // [1, h, w, C] f32
  kernels::Tensor host_timesteps_;  // [2 capacity] f32
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_BATCH_TENSORS_H_
