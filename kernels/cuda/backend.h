// A CUDA device as the rest of the program sees it, and what ops need of it.
#ifndef TESSERA_KERNELS_CUDA_BACKEND_H_
#define TESSERA_KERNELS_CUDA_BACKEND_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/cuda/conv2d.h"
#include "kernels/cuda/device_memory.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/graph_recording.h"
#include "kernels/cuda/health.h"
#include "kernels/cuda/staging.h"
#include "kernels/device_backend.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"

namespace tessera::kernels::cuda {

// One device with one queue of work, which all streams of the program share.
// Ops are called from any thread, one at a time.
class Backend final : public DeviceBackend {
 public:
  // Makes queue, memory pool and staging on device `ordinal`, which must be
  // usable, and loads the libraries. Errors: FAILED_PRECONDITION for a library
  // that is missing, else what the runtime returns.
  static absl::StatusOr<std::unique_ptr<Backend>> Create(int ordinal);
  // Waits for the work that is queued. Every tensor must be gone.
  ~Backend() override;

  // Returns the backend of a stream of a CUDA device, and makes that device
  // the calling thread's.
  static Backend& Of(const Stream& stream);

  DeviceMemory& memory() override { return *memory_; }
  absl::Status Synchronize() override;
  absl::Status health() const override { return health_.status(); }
  bool can_record() const override { return true; }
  absl::Status BeginRecording() override;
  absl::StatusOr<std::unique_ptr<Recording>> EndRecording() override;

  // Where ops queue their kernels.
  cudaStream_t queue() const { return queue_; }

  // Returns `bytes` bytes of unset memory for the kernels of one op. Errors:
  // those of the memory.
  absl::StatusOr<void*> Workspace(int64_t bytes);

  // Returns a copy with the device of `bytes` bytes, which may change once this
  // returns, for the kernels of one op. Errors: those of memory and copy.
  absl::StatusOr<const void*> Upload(const void* data, int64_t bytes);

  // Queues a copy between any two places; waits where the host is the target.
  // FAILED_PRECONDITION for a copy from or to the host while recording; else
  // what the runtime returns.
  absl::Status Copy(const TensorView& source, const TensorView& out);

  // Whether the device and its library multiply 8-bit rows with scales of their
  // own: compute capability 9 does.
  bool multiplies_fp8() const { return multiplies_fp8_; }

  // The linear layers and the convolutions.
  Gemms& gemms() { return *gemms_; }
  Convolutions& convolutions() { return *convolutions_; }

  // Latches on `stream` the error that a launch of `op` returned, if any, with
  // the shape of its main operand.
  void Report(Stream& stream, cudaError_t error, std::string_view op,
              const Shape& shape);

 private:
  explicit Backend(int ordinal);

  absl::StatusOr<std::shared_ptr<const OwnedMemory>> Own(cudaStream_t stream,
                                                         int64_t bytes);
  absl::StatusOr<const void*> UploadRecorded(const void* data, int64_t bytes);
  absl::Status Convert(const TensorView& source, const TensorView& out);

  const int ordinal_;
  Health health_;
  cudaStream_t queue_ = nullptr;
  // For what must not be recorded.
  cudaStream_t side_queue_ = nullptr;
  std::unique_ptr<DeviceMemory> memory_;
  std::unique_ptr<Staging> staging_;
  std::unique_ptr<Gemms> gemms_;
  std::unique_ptr<Convolutions> convolutions_;
  bool multiplies_fp8_ = false;
  // The largest that an op has asked for so far.
  std::shared_ptr<const OwnedMemory> workspace_;
  // A ring of small copies. Needs no event: what overwrites a copy is queued
  // behind the kernels that read it.
  std::shared_ptr<const OwnedMemory> uploads_;
  int64_t uploaded_ = 0;
  // What is being recorded; null: nothing is.
  std::unique_ptr<GraphRecording> recording_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_BACKEND_H_
