// Prints what share of the tensor cores attention reaches at the models'
// shapes:
//
//   gpu_attention_bench [--variant=mma|hopper]
//
// Exits with 77 and a reason where there is no device.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/cuda/attention/attention.h"
#include "tests/gpu/machine.h"

namespace tessera::kernels::cuda {
namespace {

// What a program returns that could not run.
constexpr int kSkipped = 77;

// Timed runs, of which the median counts; each is long enough for the clock.
constexpr int kRuns = 15;
constexpr int kLaunches = 10;

// One line of the table.
struct Case {
  const char* what;
  int64_t n, queries, keys, heads, head_dim;
};

constexpr Case kCases[] = {
    {"SD1.5 64x64 self", 16, 4096, 4096, 8, 40},
    {"SD1.5 64x64 cross", 16, 4096, 77, 8, 40},
    {"SD1.5 32x32 self", 16, 1024, 1024, 8, 80},
    {"SD1.5 32x32 cross", 16, 1024, 77, 8, 80},
    {"SD1.5 16x16 self", 16, 256, 256, 8, 160},
    {"SD1.5 8x8 self", 16, 64, 64, 8, 160},
    {"SDXL 64x64 self", 8, 4096, 4096, 10, 64},
    {"SDXL 64x64 cross", 8, 4096, 77, 10, 64},
    {"SDXL 32x32 self", 8, 1024, 1024, 20, 64},
    {"SDXL 32x32 cross", 8, 1024, 77, 20, 64},
    {"head of 128", 4, 4096, 4096, 8, 128},
    {"VAE 64x64", 8, 4096, 4096, 1, 512},
    {"VAE 128x128", 1, 16384, 16384, 1, 512},
};

// Ends the program with the runtime's words.
void Require(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

// Returns the median seconds of one launch.
double Time(const AttentionParams& params, AttentionVariant variant) {
  cudaEvent_t begin, end;
  Require(cudaEventCreate(&begin), "cudaEventCreate");
  Require(cudaEventCreate(&end), "cudaEventCreate");
  std::vector<float> times;
  for (int run = 0; run < kRuns + 2; ++run) {  // two to warm up
    Require(cudaEventRecord(begin, nullptr), "cudaEventRecord");
    for (int i = 0; i < kLaunches; ++i) {
      Require(LaunchAttention(params, variant, nullptr), "LaunchAttention");
    }
    Require(cudaEventRecord(end, nullptr), "cudaEventRecord");
    Require(cudaEventSynchronize(end), "cudaEventSynchronize");
    float milliseconds = 0;
    Require(cudaEventElapsedTime(&milliseconds, begin, end),
            "cudaEventElapsedTime");
    if (run >= 2) times.push_back(milliseconds);
  }
  Require(cudaEventDestroy(begin), "cudaEventDestroy");
  Require(cudaEventDestroy(end), "cudaEventDestroy");
  std::sort(times.begin(), times.end());
  return times[times.size() / 2] * 1e-3 / kLaunches;
}

// Measures one case and prints its line.
void Measure(const Case& c, AttentionVariant variant) {
  const int64_t width = c.heads * c.head_dim;
  // Ordinary numbers: zeros would draw less power and run faster.
  const auto fill = [&](int64_t rows) {
    std::vector<uint16_t> values(rows * width);
    uint32_t state = 1;
    for (uint16_t& v : values) {
      state = state * 1664525u + 1013904223u;
      v = static_cast<uint16_t>(0x3800 | (state >> 16 & 0x83FF));  // |x| < 1
    }
    return values;
  };
  const std::vector<uint16_t> queries = fill(c.n * c.queries);
  const std::vector<uint16_t> keys = fill(c.n * c.keys);
  const DeviceBuffer q(queries.data(), queries.size() * 2);
  const DeviceBuffer k(keys.data(), keys.size() * 2);
  const DeviceBuffer v(keys.data(), keys.size() * 2);
  const DeviceBuffer out(queries.size() * 2);
  const double seconds = Time({.q = {q.data(), width, 0},
                               .k = {k.data(), width, 0},
                               .v = {v.data(), width, 0},
                               .out = out.data(),
                               .n = c.n,
                               .queries = c.queries,
                               .keys = c.keys,
                               .heads = c.heads,
                               .head_dim = c.head_dim,
                               .scale = 0.125f,
                               .dtype = DType::kF16},
                              variant);
  const double flops = 4.0 * c.n * c.heads * c.queries * c.keys * c.head_dim;
  std::printf("%-20s %3ld %6ld %6ld %3ld %4ld %10.1f %9.1f\n", c.what,
              static_cast<long>(c.n), static_cast<long>(c.queries),
              static_cast<long>(c.keys), static_cast<long>(c.heads),
              static_cast<long>(c.head_dim), seconds * 1e6,
              flops / seconds * 1e-12);
}

// Prints the table.
int Main(int argc, char** argv) {
  const std::string why = WhyNoDevice();
  if (!why.empty()) {
    std::printf("skipped: %s\n", why.c_str());
    return kSkipped;
  }
  const bool hopper = argc > 1 && std::strcmp(argv[1], "--variant=hopper") == 0;
  cudaDeviceProp device;
  Require(cudaGetDeviceProperties(&device, 0), "cudaGetDeviceProperties");
  std::printf("%s, %s, f16\n", device.name, hopper ? "hopper" : "mma");
  std::printf("%-20s %3s %6s %6s %3s %4s %10s %9s\n", "case", "n", "rows",
              "keys", "h", "dim", "us", "TFLOP/s");
  for (const Case& c : kCases) {
    Measure(c, hopper ? AttentionVariant::kHopper : AttentionVariant::kMma);
  }
  return 0;
}

}  // namespace
}  // namespace tessera::kernels::cuda

int main(int argc, char** argv) {
  return tessera::kernels::cuda::Main(argc, argv);
}
