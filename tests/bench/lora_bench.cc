// What LoRAs cost at Stable Diffusion 1.5's sizes: 8 pictures with 8 different
// LoRAs against 8 pictures without, and switching.
//
// usage: lora_bench FOLDER [THREADS] [SIDE], after make_random_model.py FOLDER.
// The two batches take turns, so that noise of the machine meets both.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "worker/lora/adapter_file.h"
#include "worker/lora/model_layers.h"
#include "worker/model/adapter_set.h"
#include "worker/model/batch_rows.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/prompt_cache.h"

namespace tessera::model {
namespace {

constexpr int kPictures = 8;
constexpr int kRounds = 5;

using Weights = std::shared_ptr<const AdapterWeights>;

// Returns how many seconds `work` takes.
template <typename Work>
double Seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Fills a batch with one picture for each entry; null: without a LoRA.
void Fill(DenoiseBatch& batch, const std::vector<Weights>& loras, int side) {
  for (int i = 0; i < kPictures; ++i) {
    ImageRequest request{.prompt = "a red apple",
                         .seed = static_cast<uint64_t>(i),
                         .num_inference_steps = 100,
                         .guidance_scale = 1,
                         .width = side,
                         .height = side};
    if (!loras.empty()) {
      request.adapters = {{loras[static_cast<size_t>(i)], 0.8f}};
    }
    const absl::Status status = batch.Admit(i, std::move(request));
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      std::exit(1);
    }
  }
}

// Prints the UNet call with and without LoRAs.
void CompareCalls(const TextToImage& model, const std::vector<Weights>& loras,
                  int side) {
  DenoiseBatch plain(model, {.capacity = kPictures});
  DenoiseBatch mixed(model, {.capacity = kPictures});
  Fill(plain, {}, side);
  Fill(mixed, loras, side);
  plain.Step();  // plans the memory
  mixed.Step();
  std::vector<double> without, with, ratios;
  for (int round = 0; round < kRounds; ++round) {
    without.push_back(Seconds([&] { plain.Step(); }));
    with.push_back(Seconds([&] { mixed.Step(); }));
    ratios.push_back(with.back() / without.back());
  }
  std::printf(
      "UNet call, %d pictures of %dx%d: %.2f s; with %zu LoRAs %.2f s; "
      "cost %.1f %% (median of %d pairs)\n",
      kPictures, side, side, Median(without), loras.size(), Median(with),
      100 * (Median(ratios) - 1), kRounds);
}

// Prints what it takes to give all rows other LoRAs that are in memory, without
// encoding prompts and without the call itself.
void MeasureSwitch(const TextToImage& model,
                   const std::vector<Weights>& loras) {
  AdapterSets sets(model, 0);
  PromptCache prompts(model, 1);
  BatchRows rows(model, kPictures);
  const auto plain = sets.Prepare({}).value();
  const auto prompt = prompts.Get({.text = "a red apple"}, *plain).value();
  std::vector<double> seconds;
  for (size_t first = 0; first < 20; ++first) {
    seconds.push_back(Seconds([&] {
      std::vector<BatchRow> arranged;
      for (size_t i = 0; i < kPictures; ++i) {
        const Weights& lora = loras[(first + i) % loras.size()];
        arranged.push_back({prompt, sets.Prepare({{lora, 0.8f}}).value()});
      }
      if (!rows.Arrange(std::move(arranged)).ok()) std::abort();
    }));
  }
  std::printf("switching the LoRAs of all %d rows, in memory: %.2f ms\n",
              kPictures, 1e3 * Median(seconds));
}

int Run(const std::string& folder, int threads, int side) {
  const auto device = kernels::CreateCpuDevice(threads).value();
  const auto model = TextToImage::Load(folder + "/model", *device).value();
  const auto layers = lora::ModelLayers::Read(folder + "/model").value();
  std::vector<Weights> loras;
  for (int i = 0; i < kPictures; ++i) {
    const std::string path =
        folder + "/lora-" + std::to_string(i) + ".safetensors";
    loras.push_back(
        lora::ReadAdapterFile(path, layers, {}, *device).value().weights);
  }
  MeasureSwitch(*model, loras);
  CompareCalls(*model, loras, side);
  return 0;
}

}  // namespace
}  // namespace tessera::model

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: lora_bench FOLDER [THREADS] [SIDE]\n");
    return 2;
  }
  return tessera::model::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 2,
                             argc > 3 ? std::atoi(argv[3]) : 256);
}
