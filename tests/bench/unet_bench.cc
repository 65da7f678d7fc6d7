// UNet calls of the demo model, with guidance, and the pictures a second they
// would make at 20 steps.
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "kernels/device.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {
namespace {

constexpr int kSteps = 20;

// One call over `range(0)` pictures, on `range(1)` threads.
void BM_UNetCall(benchmark::State& state) {
  const auto device =
      kernels::CreateCpuDevice(static_cast<int>(state.range(1))).value();
  const auto model = TextToImage::Load(std::string(TESSERA_SOURCE_DIR) +
                                           "/deploy/local/models/emoji-sd",
                                       *device)
                         .value();
  const auto pictures = static_cast<int>(state.range(0));
  DenoiseBatch batch(*model, {.capacity = pictures});
  const auto fill = [&] {
    while (batch.size() < pictures) {
      const absl::Status status = batch.Admit(
          batch.size(), {.prompt = "a red apple", .num_inference_steps = 500});
      if (!status.ok()) return state.SkipWithError("a picture was refused");
    }
  };
  fill();
  batch.Step();  // plans the memory
  for (auto _ : state) {
    benchmark::DoNotOptimize(batch.Step());
    state.PauseTiming();
    fill();
    state.ResumeTiming();
  }
  state.counters["pictures_per_second"] =
      benchmark::Counter(static_cast<double>(pictures) / kSteps *
                             static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}
BENCHMARK(BM_UNetCall)
    ->ArgsProduct({{1, 8, 32}, {1, 2}})
    ->ArgNames({"pictures", "threads"})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace tessera::model

BENCHMARK_MAIN();
