// A CPU device that notes how large the inputs of linear layers get.
#ifndef TESSERA_KERNELS_CALIBRATION_H_
#define TESSERA_KERNELS_CALIBRATION_H_

#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "kernels/device.h"
#include "kernels/op_table.h"
#include "kernels/packed_weights.h"

namespace tessera::kernels {

// Computes as the CPU device does, bit for bit. Thread-safe.
class CalibratingDevice final : public Device {
 public:
  // Errors: as of CreateCpuDevice.
  static absl::StatusOr<std::unique_ptr<CalibratingDevice>> Create(int threads);

  // Returns the largest |input| that a gemm by `weights` has read so far; 0
  // before the first. Weights are told apart by their address.
  float LargestInput(const PackedWeights& weights) const;

 private:
  explicit CalibratingDevice(DeviceParts parts);

  static const OpTable& Ops();
  // Notes the inputs, then computes.
  static void Gemm(Stream& stream, const GemmArgs& args);
  void Note(const GemmArgs& args);

  mutable absl::Mutex mutex_;
  std::map<const PackedWeights*, float> largest_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_CALIBRATION_H_
