// The noise that torch.randn draws from a CPU generator.
#ifndef TESSERA_WORKER_MODEL_TORCH_NOISE_H_
#define TESSERA_WORKER_MODEL_TORCH_NOISE_H_

#include <cstdint>
#include <vector>

namespace tessera::model {

// Returns the first `count` normal f32 values of torch.randn with
// torch.Generator("cpu").manual_seed(seed), within the rounding of sin, cos and
// log: MT19937 with 24-bit uniforms and Box-Muller by blocks of 16 (ATen's
// DistributionTemplates.h); fewer than 16 values are drawn in double.
std::vector<float> TorchNormal(uint64_t seed, int64_t count);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_TORCH_NOISE_H_
