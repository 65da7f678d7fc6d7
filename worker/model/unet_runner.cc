#include "worker/model/unet_runner.h"

namespace tessera::model {
namespace {

// A batch that drains passes through few sizes at a time.
constexpr size_t kArenas = 4;

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
  kernels::Arena& arena = arenas_.For(
      {shape[0], shape[1], shape[2], adapted ? adapters.generation : 0});
  const Pass pass{stream_, arena, adapted ? adapters.rows : nullptr,
                  adapters.merged};
  return arena.Run(stream_, [&] { unet_.Forward(pass, input, out); });
}

}  // namespace tessera::model
