#include "worker/model/unet_runner.h"

#include <array>

namespace tessera::model {
namespace {

// A batch that drains passes through few sizes at a time.
constexpr size_t kArenas = 4;

// Returns where a tensor lies, as a number.
uintptr_t Address(const kernels::TensorView& tensor) {
  return reinterpret_cast<uintptr_t>(tensor.data);
}

}  // namespace

UNetRunner::UNetRunner(const UNet& unet, kernels::Device& device)
    : unet_(unet), stream_(device), arenas_(kArenas) {}

absl::Status UNetRunner::Run(const UNetInput& input,
                             const RowAdapters& adapters,
                             const kernels::TensorView& out) {
  const kernels::Shape& shape = input.sample.shape;
  // Plans without adapters where no row has any, so that such batches share one
  // plan.
  const bool adapted = adapters.rows != nullptr && !adapters.rows->empty();
  const ShapeArenas::Key key{shape[0], shape[1], shape[2],
                             adapted ? adapters.generation : 0};
  const std::array<uintptr_t, 5> inputs{
      Address(input.sample), Address(input.timesteps), Address(out),
      // Stands for all: the keys of all layers are allocated together.
      input.keys.empty() ? 0 : Address(input.keys.front()),
      // Tells weights apart by number, for addresses come again.
      adapted || adapters.merged != nullptr
          ? static_cast<uintptr_t>(adapters.generation)
          : 0};
  const auto run = [&]() -> absl::Status {
    kernels::Arena& arena = arenas_.For(key);
    const Pass pass{stream_, arena, adapted ? adapters.rows : nullptr,
                    adapters.merged};
    return arena.RunRecorded(stream_, inputs,
                             [&] { unet_.Forward(pass, input, out); });
  };
  const absl::Status status = run();
  if (!absl::IsResourceExhausted(status)) return status;
  // Tries once more in the memory of the shapes that came before.
  arenas_.Clear();
  return run();
}

}  // namespace tessera::model
