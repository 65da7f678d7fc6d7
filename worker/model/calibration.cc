#include "worker/model/calibration.h"

#include <memory>

#include "common/status_macros.h"
#include "kernels/calibration.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/model_parts.h"

namespace tessera::model {

absl::StatusOr<InputRanges> Calibrate(
    const std::string& model_dir, int threads,
    const std::vector<ImageRequest>& requests) {
  ASSIGN_OR_RETURN(const auto device,
                   kernels::CalibratingDevice::Create(threads));
  ASSIGN_OR_RETURN(const std::unique_ptr<TextToImage> model,
                   TextToImage::Load(model_dir, *device));
  DenoiseBatch batch(*model, {.capacity = 1});
  for (const ImageRequest& request : requests) {
    RETURN_IF_ERROR(batch.Admit(0, request));
    while (batch.size() > 0) {
      for (const Finished& finished : batch.Step()) {
        RETURN_IF_ERROR(finished.image.status());
      }
    }
  }
  InputRanges ranges;
  const LayerTable& table = model->parts().unet.table();
  for (const LayerInfo& layer : table.layers()) {
    const auto& matrix =
        table.weights()[static_cast<size_t>(layer.slot)].matrix;
    if (matrix == nullptr) continue;
    // Is 0 for convolutions, which are no gemm, and for what did not run.
    const float largest = device->LargestInput(*matrix);
    if (largest > 0) ranges.Widen(layer.name, largest);
  }
  return ranges;
}

}  // namespace tessera::model
