// Prints what share of the tensor cores attention reaches at the models'
// shapes, beside cuDNN's own fused attention in the same run:
//
//   gpu_attention_bench [--variant=mma|hopper]
//
// Exits with 77 and a reason where there is no device, and with 1 where the two
// come to unlike results.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "kernels/cuda/attention/attention.h"
#include "kernels/cuda/cudnn_library.h"
#include "tests/gpu/attention/cudnn_attention.h"
#include "tests/gpu/machine.h"

namespace tessera::kernels::cuda {
namespace {

// What a program returns that could not run.
constexpr int kSkipped = 77;

// Timed runs, of which the median counts; each is long enough for the clock.
constexpr int kRuns = 15;
constexpr int kLaunches = 10;

// Of the scores; near what the models' heads have.
constexpr float kScale = 0.125f;
// How far our results may be from cuDNN's: both round to f16, once each.
constexpr double kAgreement = 0.01;

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

// Ends the program with what a status says.
void Require(const absl::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str());
  std::exit(1);
}

// cuDNN with a handle of the device; absent where the library is.
struct Peer {
  std::unique_ptr<const CudnnLibrary> library;
  cudnnHandle_t handle = nullptr;
};

// Loads the peer; says why where it is missing.
Peer LoadPeer() {
  auto library = LoadCudnn();
  if (!library.ok()) {
    std::printf("no peer: %s\n", library.status().ToString().c_str());
    return {};
  }
  Peer peer{.library = *std::move(library)};
  Require(
      peer.library->ToStatus(peer.library->create(&peer.handle), "cudnnCreate"),
      "cuDNN");
  std::printf("peer: cuDNN %zu\n", peer.library->get_version());
  return peer;
}

// Returns the median seconds of one launch.
double Time(const std::function<void()>& launch) {
  cudaEvent_t begin, end;
  Require(cudaEventCreate(&begin), "cudaEventCreate");
  Require(cudaEventCreate(&end), "cudaEventCreate");
  std::vector<float> times;
  for (int run = 0; run < kRuns + 2; ++run) {  // two to warm up
    Require(cudaEventRecord(begin, nullptr), "cudaEventRecord");
    for (int i = 0; i < kLaunches; ++i) {
      launch();
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

// Returns the largest difference of two tensors of f16, as a share of the
// largest element.
double Difference(const DeviceBuffer& a, const DeviceBuffer& b) {
  std::vector<uint16_t> x(a.bytes() / 2), y(a.bytes() / 2);
  a.Download(x.data());
  b.Download(y.data());
  double largest = 0, difference = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double p = HalfToFloat(x[i]), q = HalfToFloat(y[i]);
    largest = std::max(largest, std::abs(q));
    // Counts what is not a number as a difference.
    if (!(std::abs(p - q) <= difference)) difference = std::abs(p - q);
  }
  return difference / largest;
}

// Measures the peer at the operands of `params`, whose result is in `ours`, and
// goes on with the line: its time, and what share of its speed `seconds` are.
// Says whether both agree.
bool MeasurePeer(const Case& c, const Peer& peer, const AttentionParams& params,
                 const DeviceBuffer& ours, double seconds) {
  const auto attention =
      CudnnAttention::Create(*peer.library, CudnnTarget(peer.handle),
                             {.n = c.n,
                              .queries = c.queries,
                              .keys = c.keys,
                              .heads = c.heads,
                              .head_dim = c.head_dim,
                              .scale = kScale});
  if (!attention.ok()) {
    std::printf("  %s", attention.status().ToString().c_str());
    return true;
  }
  const DeviceBuffer out(ours.bytes());
  const DeviceBuffer workspace(
      std::max<int64_t>(16, (*attention)->workspace_bytes()));
  const double theirs = Time([&] {
    Require((*attention)
                ->Run(peer.handle, params.q.data, params.k.data, params.v.data,
                      out.data(), workspace.data(), nullptr),
            "cuDNN");
  });
  std::printf(" %10.1f %5.0f%%", theirs * 1e6, 100 * theirs / seconds);
  const double difference = Difference(ours, out);
  if (difference <= kAgreement) return true;
  std::printf("  DIFFERS by %.3f", difference);
  return false;
}

// Measures one case and prints its line; says whether both agree.
bool Measure(const Case& c, AttentionVariant variant, const Peer& peer) {
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
  const AttentionParams params = {.q = {q.data(), width, 0},
                                  .k = {k.data(), width, 0},
                                  .v = {v.data(), width, 0},
                                  .out = out.data(),
                                  .n = c.n,
                                  .queries = c.queries,
                                  .keys = c.keys,
                                  .heads = c.heads,
                                  .head_dim = c.head_dim,
                                  .scale = kScale,
                                  .dtype = DType::kF16};
  const double seconds = Time([&] {
    Require(LaunchAttention(params, variant, nullptr), "LaunchAttention");
  });
  const double flops = 4.0 * c.n * c.heads * c.queries * c.keys * c.head_dim;
  std::printf("%-20s %3ld %6ld %6ld %3ld %4ld %10.1f %9.1f", c.what,
              static_cast<long>(c.n), static_cast<long>(c.queries),
              static_cast<long>(c.keys), static_cast<long>(c.heads),
              static_cast<long>(c.head_dim), seconds * 1e6,
              flops / seconds * 1e-12);
  const bool agrees =
      peer.library == nullptr || MeasurePeer(c, peer, params, out, seconds);
  std::printf("\n");
  return agrees;
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
  const Peer peer = LoadPeer();
  std::printf("%-20s %3s %6s %6s %3s %4s %10s %9s %10s %6s\n", "case", "n",
              "rows", "keys", "h", "dim", "us", "TFLOP/s", "cuDNN us", "of it");
  bool agree = true;
  for (const Case& c : kCases) {
    agree &= Measure(
        c, hopper ? AttentionVariant::kHopper : AttentionVariant::kMma, peer);
  }
  return agree ? 0 : 1;
}

}  // namespace
}  // namespace tessera::kernels::cuda

int main(int argc, char** argv) {
  return tessera::kernels::cuda::Main(argc, argv);
}
