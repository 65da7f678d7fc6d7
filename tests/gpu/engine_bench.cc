// UNet calls and pictures a second on a device, by batch.
//
// usage: engine_bench MODEL_FOLDER [STEPS]     default: the demo model, 20
// steps
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "kernels/device.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {
namespace {

// Returns the seconds since `start`.
double Since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

// Makes `count` batches of `pictures` pictures; returns the seconds of a batch,
// or a negative number after an error, which is printed.
double SecondsOfBatch(DenoiseBatch& batch, int pictures, int steps, int count) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    for (int picture = 0; picture < pictures; ++picture) {
      const absl::Status status =
          batch.Admit(picture, {.prompt = "a red apple",
                                .seed = static_cast<uint64_t>(picture),
                                .num_inference_steps = steps,
                                .guidance_scale = 7.5f,
                                .sampler = "ddim"});
      if (!status.ok()) {
        std::printf("%s\n", status.ToString().c_str());
        return -1;
      }
    }
    while (batch.size() > 0) {
      for (const Finished& one : batch.Step()) {
        // Random weights may come to no picture, after the same work.
        const absl::Status& status = one.image.status();
        if (!status.ok() && !absl::IsInternal(status)) {
          std::printf("%s\n", status.ToString().c_str());
          return -1;
        }
      }
    }
  }
  return Since(start) / count;
}

// Prints a line for each batch.
int Run(const std::string& folder, int steps) {
  const auto device = kernels::OpenDevice("cuda:0", 0);
  if (!device.ok()) {
    std::printf("skipped: %s\n", device.status().ToString().c_str());
    return 1;
  }
  std::printf("%s\n", (*device)->description().c_str());
  const auto load = std::chrono::steady_clock::now();
  const auto model = TextToImage::Load(folder, **device);
  if (!model.ok()) {
    std::printf("%s\n", model.status().ToString().c_str());
    return 1;
  }
  std::printf("%s: loaded in %.1f s, %d steps with guidance\n", folder.c_str(),
              Since(load), steps);
  std::printf("%8s %14s %16s %14s\n", "pictures", "ms a UNet call",
              "pictures/second", "ms a decode");
  for (const int pictures : {1, 2, 4, 8, 16, 32}) {
    DenoiseBatch batch(**model, {.capacity = pictures});
    // Plans, chooses engines and records.
    if (SecondsOfBatch(batch, pictures, 3, 1) < 0) return 1;
    const StageSeconds before = batch.seconds();
    const double seconds = SecondsOfBatch(batch, pictures, steps, 2);
    if (seconds < 0) return 1;
    const StageSeconds& after = batch.seconds();
    const auto calls =
        static_cast<double>(after.unet_calls - before.unet_calls);
    std::printf("%8d %14.2f %16.2f %14.2f\n", pictures,
                1e3 * (after.denoise - before.denoise) / calls,
                pictures / seconds,
                1e3 * (after.vae_decode - before.vae_decode) / (2 * pictures));
  }
  return 0;
}

}  // namespace
}  // namespace tessera::model

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1]
                                      : std::string(TESSERA_SOURCE_DIR) +
                                            "/deploy/local/models/emoji-sd";
  return tessera::model::Run(folder, argc > 2 ? std::atoi(argv[2]) : 20);
}
