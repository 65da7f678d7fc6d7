// Finds how large the inputs of a model's linear layers get, so that GPUs can
// multiply them in 8 bits:
//
//   tessera-calibrate MODEL PROMPTS [STEPS]
//
// PROMPTS is a text file with a prompt a line; each is made with the model's
// own size and sampler, guidance 7.5 and STEPS steps, 20 by default, on the
// CPU. Writes MODEL/unet/fp8_inputs.txt, which makes it another model: its
// pictures differ. Exits with 1 and a reason when that fails, 2 for wrong
// usage.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/calibration.h"

namespace tessera::model {
namespace {

// Reads a request a line.
absl::StatusOr<std::vector<ImageRequest>> ReadRequests(const std::string& path,
                                                       int steps) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open: ", path));
  std::vector<ImageRequest> requests;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    requests.push_back({.prompt = line,
                        .seed = static_cast<uint64_t>(requests.size()),
                        .num_inference_steps = steps});
  }
  if (requests.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no prompt in: ", path));
  }
  return requests;
}

// Calibrates and writes the file.
absl::Status Run(const std::string& model, const std::string& prompts,
                 int steps) {
  ASSIGN_OR_RETURN(const std::vector<ImageRequest> requests,
                   ReadRequests(prompts, steps));
  // Reads 0 where the count is unknown.
  const int threads =
      std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  ASSIGN_OR_RETURN(const InputRanges ranges,
                   Calibrate(model, threads, requests));
  const std::string path = absl::StrCat(model, "/unet/", kInputRangesFile);
  std::ofstream file(path);
  file << ranges.Format();
  if (!file.flush()) {
    return absl::InternalError(absl::StrCat("cannot write: ", path));
  }
  std::cout << path << "\n";
  return absl::OkStatus();
}

}  // namespace
}  // namespace tessera::model

int main(int argc, char** argv) {
  int steps = 20;
  if (argc < 3 || argc > 4 ||
      (argc == 4 && (!absl::SimpleAtoi(argv[3], &steps) || steps < 1))) {
    std::cerr << "usage: tessera-calibrate MODEL PROMPTS [STEPS]\n";
    return 2;
  }
  const absl::Status status = tessera::model::Run(argv[1], argv[2], steps);
  if (status.ok()) return 0;
  std::cerr << "tessera-calibrate: " << status << "\n";
  return 1;
}
