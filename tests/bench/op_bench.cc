// Speed of each op at sizes of the models, beside the machine's peak.
//
//   op_bench [--threads=N] [Google Benchmark's flags]
//
// "GFLOP/s" counts two operations a multiply-add; "peak" is its share of the
// rate that fused multiply-adds reach from registers in the same process.
// Passes that only move memory show "GB/s" instead.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "common/check.h"
#include "kernels/device.h"
#include "kernels/ops/attention.h"
#include "kernels/ops/conv2d.h"
#include "kernels/ops/geglu.h"
#include "kernels/ops/gemm.h"
#include "kernels/ops/group_norm.h"
#include "kernels/ops/layer_norm.h"
#include "kernels/packed_weights.h"
#include "kernels/stream.h"
#include "tests/bench/fma_peak.h"

namespace tessera::kernels {
namespace {

// Returns small numbers that are neither all equal nor denormal.
Tensor Filled(const Shape& shape) {
  Tensor tensor(shape, DType::kF32);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    tensor.f32()[i] = static_cast<float>(i * 37 % 101 - 50) * 0.01f;
  }
  return tensor;
}

PackedWeights PackedGemm(Device& device, int64_t n, int64_t k) {
  return *PackGemmWeights(device, Filled({n, k}).view());
}

// What an op costs, to turn seconds into rates.
struct Work {
  double flops = 0;
  double bytes = 0;
};

// Registers benchmarks that share one device and one measured peak.
class OpBench {
 public:
  OpBench(Device& device, double peak) : device_(device), peak_(peak) {}

  void Gemm(int64_t m, int64_t n, int64_t k);
  void Conv(int64_t batch, int64_t side, int64_t cin, int64_t cout);
  void Attention(int64_t batch, int64_t queries, int64_t keys, int64_t heads,
                 int64_t head_dim);
  void GroupNorm(int64_t batch, int64_t side, int64_t channels);
  void LayerNorm(int64_t rows, int64_t channels);
  void Geglu(int64_t rows, int64_t channels);

 private:
  // `make` builds the inputs when the benchmark starts and returns one call.
  using Call = std::function<void(Stream&)>;
  void Register(const std::string& name, Work work,
                std::function<Call()> make) {
    benchmark::internal::Benchmark* const registered =
        benchmark::RegisterBenchmark(
            name.c_str(),
            [this, work, make = std::move(make)](benchmark::State& state) {
              const Call call = make();
              Stream stream(device_);
              call(stream);
              CHECK(stream.Synchronize().ok());
              for ([[maybe_unused]] auto _ : state) call(stream);
              Report(state, work);
            });
    registered->Unit(benchmark::kMicrosecond);
    // One thread's own time is not disturbed by other work on the machine.
    if (device_.threads() > 1) registered->UseRealTime();
  }

  void Report(benchmark::State& state, Work work) const {
    using benchmark::Counter;
    const auto count = static_cast<double>(state.iterations());
    if (work.flops > 0) {
      state.counters["GFLOP/s"] =
          Counter(work.flops * count * 1e-9, Counter::kIsRate);
      state.counters["peak"] =
          Counter(work.flops * count / peak_, Counter::kIsRate);
    } else {
      state.counters["GB/s"] =
          Counter(work.bytes * count * 1e-9, Counter::kIsRate);
    }
  }

  Device& device_;
  const double peak_;
};

std::string Sizes(std::initializer_list<int64_t> sizes) {
  std::string text;
  for (const int64_t size : sizes) absl::StrAppend(&text, "/", size);
  return text;
}

// Wraps tensors that a call needs; std::function wants copyable captures.
template <typename T>
std::shared_ptr<const T> Share(T value) {
  return std::make_shared<const T>(std::move(value));
}

void OpBench::Gemm(int64_t m, int64_t n, int64_t k) {
  Register("gemm" + Sizes({m, n, k}), {.flops = 2.0 * m * n * k}, [=, this] {
    const auto a = Share(Filled({m, k})), out = Share(Filled({m, n}));
    const auto weights = Share(PackedGemm(device_, n, k));
    return Call([=](Stream& stream) {
      kernels::Gemm(stream,
                    {.a = a->view(), .weights = *weights, .out = out->view()});
    });
  });
}

void OpBench::Conv(int64_t batch, int64_t side, int64_t cin, int64_t cout) {
  const double flops = 18.0 * batch * side * side * cin * cout;
  Register(
      "conv3x3" + Sizes({batch, side, cin, cout}), {.flops = flops}, [=, this] {
        const auto input = Share(Filled({batch, side, side, cin}));
        const auto out = Share(Filled({batch, side, side, cout}));
        const auto weights =
            Share(*PackConvWeights(device_, Filled({cout, cin, 3, 3}).view()));
        return Call([=](Stream& stream) {
          Conv2d(stream, {.input = input->view(),
                          .weights = *weights,
                          .padding = Padding::All(1),
                          .out = out->view()});
        });
      });
}

void OpBench::Attention(int64_t batch, int64_t queries, int64_t keys,
                        int64_t heads, int64_t head_dim) {
  const int64_t width = heads * head_dim;
  Register("attention" + Sizes({batch, queries, keys, heads, head_dim}),
           {.flops = 4.0 * batch * queries * keys * width}, [=] {
             const auto q = Share(Filled({batch, queries, width}));
             const auto kv = Share(Filled({batch, keys, width}));
             const auto out = Share(Filled({batch, queries, width}));
             return Call([=](Stream& stream) {
               kernels::Attention(
                   stream,
                   {.q = q->view(),
                    .k = kv->view(),
                    .v = kv->view(),
                    .heads = heads,
                    .head_dim = head_dim,
                    .scale = 1 / std::sqrt(static_cast<float>(head_dim)),
                    .out = out->view()});
             });
           });
}

void OpBench::GroupNorm(int64_t batch, int64_t side, int64_t channels) {
  const Shape shape{batch, side, side, channels};
  Register("group_norm_silu" + Sizes({batch, side, channels}),
           {.bytes = 12.0 * shape.elements()}, [=] {
             const auto x = Share(Filled(shape)), out = Share(Filled(shape));
             const auto weight = Share(Filled({channels}));
             return Call([=](Stream& stream) {
               kernels::GroupNorm(stream, {.input = x->view(),
                                           .groups = 32,
                                           .eps = 1e-5f,
                                           .weight = weight->view(),
                                           .bias = weight->view(),
                                           .silu = true,
                                           .out = out->view()});
             });
           });
}

void OpBench::LayerNorm(int64_t rows, int64_t channels) {
  const Shape shape{rows, channels};
  Register("layer_norm" + Sizes({rows, channels}),
           {.bytes = 8.0 * shape.elements()}, [=] {
             const auto x = Share(Filled(shape)), out = Share(Filled(shape));
             const auto weight = Share(Filled({channels}));
             return Call([=](Stream& stream) {
               kernels::LayerNorm(stream, {.input = x->view(),
                                           .eps = 1e-5f,
                                           .weight = weight->view(),
                                           .bias = weight->view(),
                                           .out = out->view()});
             });
           });
}

void OpBench::Geglu(int64_t rows, int64_t channels) {
  Register("geglu" + Sizes({rows, channels}), {.bytes = 12.0 * rows * channels},
           [=] {
             const auto x = Share(Filled({rows, 2 * channels}));
             const auto out = Share(Filled({rows, channels}));
             return Call([=](Stream& stream) {
               kernels::Geglu(stream, {.input = x->view(), .out = out->view()});
             });
           });
}

// Sizes of Stable Diffusion 1.5 at 512 pixels, of its decoder, and of a tiny
// model, where overhead shows.
void RegisterModels(OpBench& bench) {
  bench.Gemm(8192, 320, 320);
  bench.Gemm(2048, 5120, 640);
  bench.Gemm(512, 1280, 5120);
  bench.Gemm(154, 1280, 768);
  bench.Gemm(512, 64, 64);
  bench.Gemm(32, 192, 192);
  bench.Conv(2, 64, 320, 320);
  bench.Conv(2, 32, 640, 640);
  bench.Conv(2, 16, 1280, 1280);
  bench.Conv(2, 8, 1280, 1280);
  bench.Conv(1, 256, 128, 128);
  bench.Conv(2, 16, 64, 64);
  bench.Conv(2, 4, 192, 192);
  bench.Attention(1, 4096, 4096, 8, 40);
  bench.Attention(2, 1024, 1024, 8, 80);
  bench.Attention(2, 4096, 77, 8, 40);
  bench.Attention(2, 64, 64, 3, 32);
  bench.GroupNorm(2, 64, 320);
  bench.GroupNorm(1, 512, 128);
  bench.GroupNorm(2, 16, 64);
  bench.LayerNorm(8192, 320);
  bench.Geglu(8192, 1280);
}

// Takes --threads=N out of the arguments; 1 without it.
int TakeThreads(int& argc, char** argv) {
  constexpr std::string_view kFlag = "--threads=";
  int threads = 1, kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).substr(0, kFlag.size()) == kFlag) {
      threads = std::atoi(argv[i] + kFlag.size());
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  return threads;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<std::unique_ptr<Device>> device =
      CreateCpuDevice(TakeThreads(argc, argv));
  if (!device.ok()) {
    std::fprintf(stderr, "%s\n", device.status().ToString().c_str());
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const double peak = MeasureFmaPeak(**device);
  std::printf("%s, fused multiply-add peak %.1f GFLOP/s\n",
              (*device)->description().c_str(), peak * 1e-9);
  OpBench bench(**device, peak);
  RegisterModels(bench);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace tessera::kernels

int main(int argc, char** argv) { return tessera::kernels::Main(argc, argv); }
