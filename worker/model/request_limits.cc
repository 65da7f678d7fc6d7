#include "worker/model/request_limits.h"

#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::model {
namespace {

// Pixels a side. Below the minimum deep UNet levels have no pixels to speak of;
// above the maximum one picture is gigabytes of activations.
constexpr int kMinSize = 64;
constexpr int kMaxSize = 4096;
// Pixels a latent of Stable Diffusion's VAE; sizes stay its multiples for other
// VAEs too.
constexpr int kSizeMultiple = 8;
// The usual length of a training schedule; no request holds its place in a
// batch for longer.
constexpr int kMaxSteps = 1000;
// Far beyond what still gives a picture.
constexpr float kMaxGuidance = 100;

// Checks one side in pixels; `field` is its name in the message.
absl::Status CheckSize(const char* field, int value, int multiple) {
  if (value < kMinSize || value > kMaxSize || value % multiple != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": expected a multiple of ", multiple, " from ",
                     kMinSize, " to ", kMaxSize, ", got ", value));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRanges(const ImageRequest& request, int size_multiple) {
  // Joins both: a VAE with more levels asks for larger multiples.
  const int multiple = std::lcm(kSizeMultiple, size_multiple);
  RETURN_IF_ERROR(CheckSize("width", request.width, multiple));
  RETURN_IF_ERROR(CheckSize("height", request.height, multiple));
  if (request.num_inference_steps < 1 ||
      request.num_inference_steps > kMaxSteps) {
    return absl::InvalidArgumentError(
        absl::StrCat("num_inference_steps: expected 1 to ", kMaxSteps, ", got ",
                     request.num_inference_steps));
  }
  if (!std::isfinite(request.guidance_scale) || request.guidance_scale < 0 ||
      request.guidance_scale > kMaxGuidance) {
    return absl::InvalidArgumentError(
        absl::StrCat("guidance_scale: expected 0 to ", kMaxGuidance, ", got ",
                     request.guidance_scale));
  }
  // Bounds no strength: negative ones and those beyond 1 are in use.
  for (const AdapterUse& use : request.adapters) {
    if (!std::isfinite(use.scale)) {
      return absl::InvalidArgumentError(
          absl::StrCat("loras: expected a finite scale, got ", use.scale));
    }
  }
  return absl::OkStatus();
}

}  // namespace tessera::model
