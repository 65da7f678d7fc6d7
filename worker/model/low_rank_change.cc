#include "worker/model/low_rank_change.h"

#include <cstdint>

#include "common/check.h"
#include "common/status_macros.h"

namespace tessera::model {

absl::Status AddLowRank(const AdapterLayer& layer, double strength,
                        std::span<double> sum) {
  ASSIGN_OR_RETURN(const kernels::Tensor down,
                   kernels::UnpackWeights(layer.down));
  ASSIGN_OR_RETURN(const kernels::Tensor up, kernels::UnpackWeights(layer.up));
  const int64_t outputs = layer.up.n(), lora_rank = layer.up.k();
  const int64_t width = layer.down.k();  // inputs · kernel · kernel
  CHECK(static_cast<int64_t>(sum.size()) == outputs * width);
  const double scale = strength * static_cast<double>(layer.scale);
  for (int64_t row = 0; row < outputs; ++row) {
    double* const to = sum.data() + row * width;
    for (int64_t r = 0; r < lora_rank; ++r) {
      const double factor =
          scale * static_cast<double>(up.f32()[row * lora_rank + r]);
      const float* const from = down.f32() + r * width;
      for (int64_t i = 0; i < width; ++i) {
        to[i] += factor * static_cast<double>(from[i]);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace tessera::model
