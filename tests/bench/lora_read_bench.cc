// What it takes to read a LoRA of Stable Diffusion 1.5's size from a file that
// the system has in memory: with the digest, and without, as of a file that the
// node's cache has verified.
//
// usage: lora_read_bench FOLDER [THREADS], after make_random_model.py FOLDER.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/device.h"
#include "worker/lora/adapter_file.h"
#include "worker/lora/model_layers.h"

namespace tessera::lora {
namespace {

constexpr int kFiles = 8;
constexpr int kRounds = 10;

// Prints the median time of reading each file a few times.
void Measure(const char* what, const std::string& folder,
             const AdapterOptions& options, const ModelLayers& layers,
             kernels::Device& device) {
  std::vector<double> seconds;
  for (int i = 0; i < kFiles * kRounds; ++i) {
    const std::string path =
        folder + "/lora-" + std::to_string(i % kFiles) + ".safetensors";
    const auto start = std::chrono::steady_clock::now();
    const auto adapter = ReadAdapterFile(path, layers, options, device);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count());
    if (!adapter.ok()) {
      std::fprintf(stderr, "%s\n",
                   std::string(adapter.status().message()).c_str());
      std::exit(1);
    }
  }
  std::sort(seconds.begin(), seconds.end());
  std::printf("%s: %.1f ms (least %.1f)\n", what,
              1e3 * seconds[seconds.size() / 2], 1e3 * seconds.front());
}

int Run(const std::string& folder, int threads) {
  const auto device = kernels::CreateCpuDevice(threads).value();
  const auto layers = ModelLayers::Read(folder + "/model").value();
  Measure("read, digest, check and pack", folder, {}, layers, *device);
  Measure("read, check and pack a verified file", folder,
          {.sha256 = std::string(64, '0')}, layers, *device);
  return 0;
}

}  // namespace
}  // namespace tessera::lora

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: lora_read_bench FOLDER [THREADS]\n");
    return 2;
  }
  return tessera::lora::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 2);
}
