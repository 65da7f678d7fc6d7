// UNet calls and pictures a second on a device, by batch.
//
// usage: engine_bench [MODEL_FOLDER [STEPS [TFLOP]]]
//
// By default the demo model and 20 steps. TFLOP is the work of one row of a
// UNet call; a picture with guidance has two.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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
// or the first error.
absl::StatusOr<double> SecondsOfBatch(DenoiseBatch& batch, int pictures,
                                      int steps, int count) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    for (int picture = 0; picture < pictures; ++picture) {
      const absl::Status status =
          batch.Admit(picture, {.prompt = "a red apple",
                                .seed = static_cast<uint64_t>(picture),
                                .num_inference_steps = steps,
                                .guidance_scale = 7.5f,
                                .sampler = "ddim"});
      if (!status.ok()) return status;
    }
    while (batch.size() > 0) {
      for (const Finished& one : batch.Step()) {
        // Random weights may come to no picture, after the same work.
        const absl::Status& status = one.image.status();
        if (!status.ok() && !absl::IsInternal(status)) return status;
      }
    }
  }
  return Since(start) / count;
}

// Measures batches of `pictures` pictures and prints a line.
absl::Status Measure(const TextToImage& model, int pictures, int steps,
                     double tflop) {
  DenoiseBatch batch(model, {.capacity = pictures});
  // Plans, chooses engines and records.
  const absl::StatusOr<double> warm = SecondsOfBatch(batch, pictures, 3, 1);
  if (!warm.ok()) return warm.status();
  const StageSeconds before = batch.seconds();
  const absl::StatusOr<double> seconds =
      SecondsOfBatch(batch, pictures, steps, 2);
  if (!seconds.ok()) return seconds.status();
  const StageSeconds& after = batch.seconds();
  const double call = (after.denoise - before.denoise) /
                      static_cast<double>(after.unet_calls - before.unet_calls);
  std::printf("%8d %14.2f %9.0f %16.2f %12.2f\n", pictures, 1e3 * call,
              2 * pictures * tflop / call, pictures / *seconds,
              1e3 * (after.vae_decode - before.vae_decode) / (2 * pictures));
  std::fflush(stdout);
  return absl::OkStatus();
}

// Prints a line for each batch, up to the largest that fits.
int Run(const std::string& folder, int steps, double tflop) {
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
  const ModelFacts& facts = (*model)->facts();
  std::printf("%s: %dx%d, loaded in %.1f s, %d steps with guidance\n",
              folder.c_str(), facts.default_width, facts.default_height,
              Since(load), steps);
  std::printf("%8s %14s %9s %16s %12s\n", "pictures", "ms a UNet call",
              "TFLOP/s", "pictures/second", "ms a decode");
  for (const int pictures : {1, 2, 4, 8, 16, 32}) {
    const absl::Status status = Measure(**model, pictures, steps, tflop);
    if (status.ok()) continue;
    std::printf("%8d %s\n", pictures, status.ToString().c_str());
    // Is no failure behind a batch that fits.
    return absl::IsResourceExhausted(status) && pictures > 1 ? 0 : 1;
  }
  return 0;
}

}  // namespace
}  // namespace tessera::model

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1]
                                      : std::string(TESSERA_SOURCE_DIR) +
                                            "/deploy/local/models/emoji-sd";
  return tessera::model::Run(folder, argc > 2 ? std::atoi(argv[2]) : 20,
                             argc > 3 ? std::atof(argv[3]) : 0);
}
