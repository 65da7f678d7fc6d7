#include "kernels/calibration.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/status_macros.h"
#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"

namespace tessera::kernels {

CalibratingDevice::CalibratingDevice(DeviceParts parts)
    : Device(std::move(parts)) {}

// Asks the CPU device whether this processor will do, and describes itself as
// one.
absl::StatusOr<std::unique_ptr<CalibratingDevice>> CalibratingDevice::Create(
    int threads) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Device> cpu, CreateCpuDevice(threads));
  return std::unique_ptr<CalibratingDevice>(
      new CalibratingDevice({.name = cpu->name(),
                             .ops = Ops(),
                             .pool = std::make_shared<cpu::ThreadPool>(threads),
                             .description = cpu->description()}));
}

// Differs from the CPU's table in one op.
const OpTable& CalibratingDevice::Ops() {
  static constexpr OpTable kOps = {
      .add = cpu::Add,
      .activate = cpu::Activate,
      .attention = cpu::Attention,
      .concat_channels = cpu::ConcatChannels,
      .conv2d = cpu::Conv2d,
      .copy = cpu::Copy,
      .geglu = cpu::Geglu,
      .gemm = Gemm,
      .group_norm = cpu::GroupNorm,
      .image_bytes = cpu::ImageBytes,
      .layer_norm = cpu::LayerNorm,
      .lora_gemm = cpu::LoraGemm,
      .resize_nearest = cpu::ResizeNearest,
      .sampler_step = cpu::SamplerStep,
      .scale_rows = cpu::ScaleRows,
      .timestep_embedding = cpu::TimestepEmbedding,
      .token_embedding = cpu::TokenEmbedding,
      .pack_weights = cpu::PackWeights,
      .unpack_weights = cpu::UnpackWeights,
  };
  return kOps;
}

// Knows that the device is one of these: no other has this op.
void CalibratingDevice::Gemm(Stream& stream, const GemmArgs& args) {
  static_cast<CalibratingDevice&>(stream.device()).Note(args);
  cpu::Gemm(stream, args);
}

void CalibratingDevice::Note(const GemmArgs& args) {
  const int64_t width = args.a.shape[-1], k = args.weights.k();
  float largest = 0;
  for (int64_t row = 0; row < args.a.shape.rows(); ++row) {
    const float* const x = args.a.f32() + row * width + args.a_column;
    for (int64_t i = 0; i < k; ++i) largest = std::max(largest, std::abs(x[i]));
  }
  absl::MutexLock lock(&mutex_);
  float& known = largest_[&args.weights];
  known = std::max(known, largest);
}

float CalibratingDevice::LargestInput(const PackedWeights& weights) const {
  absl::MutexLock lock(&mutex_);
  const auto found = largest_.find(&weights);
  return found == largest_.end() ? 0 : found->second;
}

}  // namespace tessera::kernels
