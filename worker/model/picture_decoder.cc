#include "worker/model/picture_decoder.h"

#include <cmath>

#include "absl/status/status.h"
#include "common/status_macros.h"
#include "kernels/ops/copy.h"
#include "kernels/ops/image_bytes.h"
#include "worker/model/model_parts.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::Scratch;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

// A batch has one size, and the next one may have another.
constexpr size_t kArenas = 1;

// Undoes the scaling that the VAE's latents were trained with, and refuses what
// is not a number before the VAE spreads it over the picture.
absl::StatusOr<Tensor> Unscaled(const TensorView& latents,
                                const VaeConfig& config) {
  Tensor unscaled(latents.shape, DType::kF32);
  const float* const from = latents.f32();
  float* const to = unscaled.f32();
  for (int64_t i = 0; i < latents.shape.elements(); ++i) {
    if (!std::isfinite(from[i])) {
      return absl::InternalError("latents are not a number");
    }
    to[i] = from[i] / config.scaling_factor + config.shift_factor;
  }
  return unscaled;
}

}  // namespace

PictureDecoder::PictureDecoder(const TextToImage& model)
    : model_(model), stream_(model.parts().vae_device()), arenas_(kArenas) {}

absl::StatusOr<Image> PictureDecoder::Decode(const TensorView& latents) {
  const TextToImage::Parts& parts = model_.parts();
  ASSIGN_OR_RETURN(const Tensor scaled, Unscaled(latents, parts.vae_config));
  const int64_t height = latents.shape[1] * parts.vae.scale();
  const int64_t width = latents.shape[2] * parts.vae.scale();
  // Takes one picture at a time: the VAE's activations at full size are far
  // larger than the UNet's.
  const Shape shape{1, height, width, parts.vae.out_channels()};
  Image image{.width = static_cast<int>(width),
              .height = static_cast<int>(height)};
  image.rgb.resize(static_cast<size_t>(shape.elements()));
  const TensorView rgb{image.rgb.data(), DType::kU8, shape};
  // Keys the plan by size alone: no adapter reaches the VAE.
  kernels::Arena& arena =
      arenas_.For({1, latents.shape[1], latents.shape[2], 0});
  const Pass pass{stream_, arena};
  const absl::Status queued = arena.Run(stream_, [&] {
    const Scratch input = pass.Allocate(latents.shape);
    kernels::Copy(stream_, {.source = scaled.view(), .out = input.view()});
    // Lives in the arena: floats of a whole picture, and the bytes they become.
    const Scratch pixels = pass.Allocate(shape);
    parts.vae.Forward(pass, input.view(), pixels.view());
    const Scratch bytes = arena.Allocate(shape, DType::kU8);
    kernels::ImageBytes(stream_, {.input = pixels.view(), .out = bytes.view()});
    kernels::Copy(stream_, {.source = bytes.view(), .out = rgb});
  });
  // Waits even after an error: what was queued before it writes to `image`.
  const absl::Status done = stream_.Synchronize();
  RETURN_IF_ERROR(queued);
  RETURN_IF_ERROR(done);
  return image;
}

}  // namespace tessera::model
