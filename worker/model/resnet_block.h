// The residual block of the UNet and of the VAE.
#ifndef TESSERA_WORKER_MODEL_RESNET_BLOCK_H_
#define TESSERA_WORKER_MODEL_RESNET_BLOCK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/conv.h"
#include "worker/model/linear.h"
#include "worker/model/norm.h"

namespace tessera::model {

// The name and shape of a block.
struct ResnetSpec {
  // In the model file, such as "mid_block.resnets.0".
  std::string name;
  int64_t inputs = 0;
  int64_t outputs = 0;
  int64_t time_channels = 0;  // 0: the block takes no time (VAE)
  int64_t groups = 32;
  // Of both norms; diffusers' UNet default.
  float epsilon = 1e-5f;
};

// x + conv2(silu(norm2(conv1(silu(norm1(x))) + time))), with a 1x1 convolution
// on the shortcut where the channels change: diffusers' ResnetBlock2D with
// default scale. Immutable; thread-safe.
class ResnetBlock {
 public:
  // Errors as of WeightReader.
  static absl::StatusOr<ResnetBlock> Load(const LayerSource& source,
                                          const ResnetSpec& spec);

  // Computes x [N, H, W, inputs] into out [N, H, W, outputs]. `time` is
  // silu(embedding) [N, time_channels], or empty for a block without time.
  void Forward(const Pass& pass, const kernels::TensorView& x,
               const kernels::TensorView& time,
               const kernels::TensorView& out) const;

  int64_t outputs() const { return conv1_.outputs(); }

 private:
  // Computes conv1(silu(norm1(x))) + time into out.
  void ConvIn(const Pass& pass, const kernels::TensorView& x,
              const kernels::TensorView& time,
              const kernels::TensorView& out) const;

  GroupNorm norm1_;
  Conv2d conv1_;
  // Absent in the VAE's blocks.
  std::optional<Linear> time_;
  GroupNorm norm2_;
  Conv2d conv2_;
  // Absent where the channels stay the same.
  std::optional<Linear> shortcut_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_RESNET_BLOCK_H_
