// A pass as a CUDA graph.
#ifndef TESSERA_KERNELS_CUDA_GRAPH_RECORDING_H_
#define TESSERA_KERNELS_CUDA_GRAPH_RECORDING_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "kernels/cuda/health.h"
#include "kernels/device_backend.h"
#include "kernels/memory.h"

namespace tessera::kernels::cuda {

// Device memory that goes back when nobody refers to it any more.
class OwnedMemory {
 public:
  // Takes over `bytes` bytes of `memory`, which must outlive this.
  OwnedMemory(Memory& memory, void* data, int64_t bytes)
      : memory_(memory), data_(data), bytes_(bytes) {}
  ~OwnedMemory() { memory_.Free(data_, bytes_); }
  OwnedMemory(const OwnedMemory&) = delete;
  OwnedMemory& operator=(const OwnedMemory&) = delete;

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  Memory& memory_;
  void* const data_;
  const int64_t bytes_;
};

// Kernels of a pass, and the memory that they were given besides tensors. Ends
// as a graph that one call launches.
class GraphRecording final : public Recording {
 public:
  // `stream` and `health` must outlive it.
  GraphRecording(cudaStream_t stream, Health& health)
      : stream_(stream), health_(health) {}
  ~GraphRecording() override;

  // Has what the stream is given captured from now on. Errors: what the runtime
  // returns.
  absl::Status Begin();

  // Ends the capture and makes the graph ready to be launched. Errors: what
  // the runtime returns, the first capture that failed included.
  absl::Status End();

  // Keeps memory for as long as this may be replayed.
  void Keep(std::shared_ptr<const OwnedMemory> memory) {
    kept_.push_back(std::move(memory));
  }

  absl::Status Replay() override;

 private:
  const cudaStream_t stream_;
  Health& health_;
  // Null until End.
  cudaGraphExec_t graph_ = nullptr;
  std::vector<std::shared_ptr<const OwnedMemory>> kept_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_GRAPH_RECORDING_H_
