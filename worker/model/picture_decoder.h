// From final latents to the picture's bytes.
#ifndef TESSERA_WORKER_MODEL_PICTURE_DECODER_H_
#define TESSERA_WORKER_MODEL_PICTURE_DECODER_H_

#include "absl/status/statusor.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"
#include "worker/model/shape_arenas.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// Runs the VAE decoder one picture at a time, in planned memory. Thread-
// compatible. Borrows the model.
class PictureDecoder {
 public:
  explicit PictureDecoder(const TextToImage& model);

  // Decodes latents [1, h, w, C] f32 on the host, as the UNet leaves them.
  // INTERNAL "latents are not a number" when they hold NaN or an infinity; else
  // the first error of an op or of the device's memory. Waits for the picture.
  absl::StatusOr<Image> Decode(const kernels::TensorView& latents);

  // Gives back the memory of pictures, which ask for it again.
  void ReleaseMemory() { arenas_.Clear(); }

 private:
  const TextToImage& model_;
  kernels::Stream stream_;
  // Of one size: a batch's pictures are of one size.
  ShapeArenas arenas_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_PICTURE_DECODER_H_
