#include "kernels/cuda/graph_recording.h"

#include "common/status_macros.h"

namespace tessera::kernels::cuda {

// May run while a launch is under way: the driver then frees the graph after
// it, and memory goes back in the order of the stream.
GraphRecording::~GraphRecording() {
  if (graph_ == nullptr) return;
  static_cast<void>(
      health_.Check(cudaGraphExecDestroy(graph_), "destroy graph"));
}

// Captures in the relaxed mode, in which uploads on a side stream may allocate
// and wait.
absl::Status GraphRecording::Begin() {
  return health_.Check(
      cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed),
      "begin capture");
}

absl::Status GraphRecording::End() {
  cudaGraph_t graph = nullptr;
  RETURN_IF_ERROR(
      health_.Check(cudaStreamEndCapture(stream_, &graph), "end capture"));
  const absl::Status ready = health_.Check(
      cudaGraphInstantiate(&graph_, graph, 0), "instantiate graph");
  // The executable graph does not refer to what it was made of.
  const absl::Status destroyed =
      health_.Check(cudaGraphDestroy(graph), "destroy captured graph");
  RETURN_IF_ERROR(ready);
  return destroyed;
}

absl::Status GraphRecording::Replay() {
  return health_.Check(cudaGraphLaunch(graph_, stream_), "launch graph");
}

}  // namespace tessera::kernels::cuda
