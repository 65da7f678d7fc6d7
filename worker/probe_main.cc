// tessera-probe: one picture in this process, with what the engine computed on
// the way, to hold the engine against other implementations.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status_macros.h"
#include "kernels/device.h"
#include "worker/lora/adapter_file.h"
#include "worker/lora/model_layers.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/npy.h"
#include "worker/model/text_to_image.h"
#include "worker/png.h"
#include "worker/probe_options.h"
#include "worker/probe_plan.h"

namespace tessera::worker {
namespace {

// Exit code of bad usage and of anything else that fails.
constexpr int kExitBad = 2;
// One picture is in the batch; it may have any ticket.
constexpr int64_t kTicket = 0;

// Writes each array as it comes; keeps the first error.
class Dump : public model::DenoiseObserver {
 public:
  explicit Dump(std::string folder) : folder_(std::move(folder)) {}

  void OnPrompt(int64_t, const std::vector<int32_t>& token_ids,
                const kernels::TensorView& embeddings) override {
    std::vector<int32_t> ids = token_ids;
    Write("token_ids.npy", {ids.data(), kernels::DType::kI32,
                            kernels::Shape{static_cast<int64_t>(ids.size())}});
    Write("text_embeddings.npy", embeddings);
  }

  void OnNoisePrediction(int64_t, int call,
                         const kernels::TensorView& noise_pred) override {
    Write(absl::StrFormat("unet_step_%03d.npy", call), noise_pred);
  }

  void OnLatents(int64_t, const kernels::TensorView& latents) override {
    Write("latents.npy", latents);
  }

  const absl::Status& status() const { return status_; }

 private:
  // Writes one array below the folder, under the name that --help gives.
  void Write(const std::string& name, const kernels::TensorView& tensor) {
    status_.Update(model::WriteNpy(folder_ + "/" + name, tensor));
  }

  const std::string folder_;
  absl::Status status_;
};

// Reads adapters and latents; ranges are checked when the batch admits.
absl::StatusOr<model::ImageRequest> MakeRequest(const ProbeOptions& options,
                                                kernels::Device& device) {
  model::ImageRequest request{.prompt = options.prompt,
                              .negative_prompt = options.negative_prompt,
                              .seed = options.seed,
                              .num_inference_steps = options.steps,
                              .guidance_scale = options.guidance,
                              .sampler = options.sampler,
                              .width = options.width,
                              .height = options.height};
  if (!options.loras.empty()) {
    ASSIGN_OR_RETURN(const lora::ModelLayers layers,
                     lora::ModelLayers::Read(options.model));
    for (const ProbeLora& lora : options.loras) {
      ASSIGN_OR_RETURN(lora::BoundAdapter adapter,
                       lora::ReadAdapterFile(lora.file, layers, {}, device));
      request.adapters.push_back({std::move(adapter.weights), lora.scale});
    }
  }
  // Takes the place of the seed's noise.
  if (!options.init_latents.empty()) {
    ASSIGN_OR_RETURN(kernels::Tensor latents,
                     model::ReadNpy(options.init_latents));
    request.init_latents =
        std::make_shared<const kernels::Tensor>(std::move(latents));
  }
  return request;
}

// Writes the picture without any text, so that its bytes depend on pixels
// alone.
absl::Status WritePicture(const model::Image& image, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string png, EncodePng(image, {}));
  std::ofstream file(path, std::ios::binary);
  file.write(png.data(), static_cast<std::streamsize>(png.size()));
  file.close();
  return file ? absl::OkStatus()
              : absl::InternalError(absl::StrCat("cannot write: ", path));
}

// Makes the picture and reports where the time went.
absl::Status MakePicture(const model::TextToImage& model,
                         const ProbeOptions& options, kernels::Device& device) {
  std::error_code error;
  std::filesystem::create_directories(options.dump, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot make the folder: ", options.dump));
  }
  ASSIGN_OR_RETURN(model::ImageRequest request, MakeRequest(options, device));
  Dump dump(options.dump);
  model::DenoiseBatch batch(model, {.observer = &dump});
  RETURN_IF_ERROR(batch.Admit(kTicket, std::move(request)));
  std::vector<model::Finished> finished;
  // Ends: the picture leaves after its last step, or at the first error.
  while (finished.empty()) finished = batch.Step();
  // Reports a failed dump first: without the arrays the picture is of no use.
  RETURN_IF_ERROR(dump.status());
  RETURN_IF_ERROR(finished.front().image.status());
  RETURN_IF_ERROR(
      WritePicture(*finished.front().image, options.dump + "/image.png"));
  const model::StageSeconds& seconds = batch.seconds();
  std::cout << absl::StrFormat(
      "text %.3f s, denoise %.3f s in %d UNet calls, decode %.3f s\n",
      seconds.text_encode, seconds.denoise, seconds.unet_calls,
      seconds.vae_decode);
  return absl::OkStatus();
}

// Plans, or loads the model and then checks it or makes the picture.
absl::Status Run(const ProbeOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<kernels::Device> device,
                   kernels::OpenDevice(options.device, options.threads));
  if (options.plan > 0) {
    ASSIGN_OR_RETURN(const std::string plan,
                     DescribePlan(options.model, options.plan, *device));
    std::cout << plan;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto model,
                   model::TextToImage::Load(options.model, *device));
  if (!options.check) return MakePicture(*model, options, *device);
  const model::ModelFacts& facts = model->facts();
  std::cout << absl::StrFormat(
      "%s is good: %dx%d, sampler %s, sha256 %s\n", options.model,
      facts.default_width, facts.default_height, facts.sampler, facts.digest);
  return absl::OkStatus();
}

// Returns the exit code; errors go to standard error.
int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<ProbeOptions> options = ParseProbeOptions(arguments);
  if (!options.ok()) {
    std::cerr << "tessera-probe: " << options.status().message()
              << "\nSee tessera-probe --help.\n";
    return kExitBad;
  }
  if (options->help) {
    std::cout << ProbeHelp();
    return 0;
  }
  const absl::Status status = Run(*options);
  if (status.ok()) return 0;
  std::cerr << "tessera-probe: " << status.message() << "\n";
  return kExitBad;
}

}  // namespace
}  // namespace tessera::worker

int main(int argc, char** argv) {
  return tessera::worker::Main({argv + 1, argv + argc});
}
