#include "worker/model/batch_tensors.h"

#include "common/status_macros.h"
#include "kernels/ops/copy.h"
#include "worker/model/initial_latents.h"
#include "worker/model/model_parts.h"

namespace tessera::model {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

BatchTensors::BatchTensors(const TextToImage& model, int64_t capacity)
    : model_(model), capacity_(capacity), stream_(model.parts().device) {}

absl::Status BatchTensors::UseSize(int width, int height) {
  if (width == width_ && height == height_) return absl::OkStatus();
  // Has no size until all of it is there.
  width_ = height_ = 0;
  const TextToImage::Parts& parts = model_.parts();
  kernels::Device& device = parts.device;
  const Shape one{1, height / parts.vae.scale(), width / parts.vae.scale(),
                  parts.vae_config.latent_channels};
  const auto tensor = [&](int64_t rows, DType dtype) {
    return Tensor::Create(device, Shape{rows, one[1], one[2], one[3]}, dtype);
  };
  const int64_t rows = 2 * capacity_;
  ASSIGN_OR_RETURN(latents_, tensor(capacity_, DType::kF32));
  ASSIGN_OR_RETURN(samples_, tensor(rows, device.compute_dtype()));
  ASSIGN_OR_RETURN(outputs_, tensor(rows, device.compute_dtype()));
  ASSIGN_OR_RETURN(timesteps_,
                   Tensor::Create(device, Shape{rows}, DType::kF32));
  picture_ = Tensor(one, DType::kF32);
  host_timesteps_ = Tensor(Shape{rows}, DType::kF32);
  width_ = width;
  height_ = height;
  return absl::OkStatus();
}

// Relies on Copy, which has read its source when it returns.
void BatchTensors::WriteNoise(const ImageRequest& request, float scale,
                              int64_t place) {
  WriteInitialLatents(request, scale, picture_.view());
  kernels::Copy(stream_, {.source = picture_.view(),
                          .out = latents_.view().Slice(place, place + 1)});
}

void BatchTensors::MoveDown(int64_t place) {
  kernels::Copy(stream_, {.source = latents_.view().Slice(place, place + 1),
                          .out = latents_.view().Slice(place - 1, place)});
}

absl::StatusOr<TensorView> BatchTensors::Read(int64_t place) {
  kernels::Copy(stream_, {.source = latents_.view().Slice(place, place + 1),
                          .out = picture_.view()});
  RETURN_IF_ERROR(stream_.Synchronize());
  return picture_.view();
}

TensorView BatchTensors::SendTimesteps(int64_t rows) {
  const TensorView sent = timesteps_.view().Slice(0, rows);
  kernels::Copy(stream_,
                {.source = host_timesteps_.view().Slice(0, rows), .out = sent});
  return sent;
}

}  // namespace tessera::model
