#include "worker/model/unet_runner.h"

#include <array>

#include "common/check.h"

namespace tessera::model {
namespace {

// A batch that drains passes through few sizes at a time.
constexpr size_t kArenas = 4;
// Addresses and numbers that a call depends on beside the parked skips.
constexpr size_t kInputs = 6;

// Returns where a tensor lies, as a number.
uintptr_t Address(const kernels::TensorView& tensor) {
  return reinterpret_cast<uintptr_t>(tensor.data);
}

}  // namespace

UNetRunner::UNetRunner(const UNet& unet, kernels::Device& device,
                       size_t segments)
    : unet_(unet), stream_(device), arenas_(kArenas * segments) {}

absl::Status UNetRunner::Run(const UNetInput& input,
                             const RowAdapters& adapters,
                             const kernels::TensorView& out) {
  return RunSegment({.pieces = {0, unet_.pieces().size()},
                     .hidden = input.sample,
                     .parked = {},
                     .out = out},
                    input, adapters);
}

absl::Status UNetRunner::RunSegment(const UNetSegment& segment,
                                    const UNetInput& input,
                                    const RowAdapters& adapters) {
  const kernels::Shape& shape = input.sample.shape;
  // Plans without adapters where no row has any, so that such batches share one
  // plan.
  const bool adapted = adapters.rows != nullptr && !adapters.rows->empty();
  const ShapeArenas::Key key{shape[0], shape[1], shape[2],
                             adapted ? adapters.generation : 0,
                             static_cast<int64_t>(segment.pieces.begin)};
  std::array<uintptr_t, kInputs + UNetState::kMaxSkips> inputs{
      Address(segment.hidden), Address(input.timesteps), Address(segment.out),
      // Stands for all: the keys of all layers are allocated together.
      input.keys.empty() ? 0 : Address(input.keys.front()),
      // Tells weights apart by number, for addresses come again.
      adapted || adapters.merged != nullptr
          ? static_cast<uintptr_t>(adapters.generation)
          : 0,
      segment.pieces.begin};
  CHECK(segment.parked.size() <= UNetState::kMaxSkips);
  for (size_t i = 0; i < segment.parked.size(); ++i) {
    if (segment.parked[i]) inputs[kInputs + i] = Address(*segment.parked[i]);
  }
  const auto run = [&]() -> absl::Status {
    kernels::Arena& arena = arenas_.For(key);
    const Pass pass{stream_, arena, adapted ? adapters.rows : nullptr,
                    adapters.merged};
    return arena.RunRecorded(stream_, inputs,
                             [&] { unet_.RunSegment(pass, segment, input); });
  };
  const absl::Status status = run();
  if (!absl::IsResourceExhausted(status)) return status;
  // Tries once more in the memory of the shapes that came before.
  arenas_.Clear();
  return run();
}

}  // namespace tessera::model
