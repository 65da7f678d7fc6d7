#include "worker/pipeline_costs.h"

#include "common/status_macros.h"
#include "worker/model/unet.h"
#include "worker/model/unet_config.h"
#include "worker/model/unet_work.h"

namespace tessera::worker {
namespace {

// Multiply-adds a second of a thread of a CPU, and of a GPU, in convolutions.
constexpr double kOfAThread = 3e10;
constexpr double kOfAGpu = 2e14;
// Tokens of a prompt, as CLIP pads them.
constexpr int64_t kTokens = 77;

}  // namespace

absl::StatusOr<std::vector<PieceFigures>> CountPieceCosts(
    const std::string& model_folder, const kernels::Device& device) {
  ASSIGN_OR_RETURN(const model::ConfigFile file,
                   model::ConfigFile::Open(model_folder + "/unet/config.json"));
  ASSIGN_OR_RETURN(const model::UNetConfig config, model::ReadUNetConfig(file));
  ASSIGN_OR_RETURN(const std::vector<model::UNetPiece> pieces,
                   model::UNet::ListPieces(config));
  const std::vector<model::PieceWork> work = model::CountWork(
      config, pieces, config.sample_size, config.sample_size, kTokens);
  const double speed = device.has_own_memory()
                           ? kOfAGpu
                           : kOfAThread * static_cast<double>(device.threads());
  const int64_t element = kernels::SizeOf(device.compute_dtype());
  std::vector<PieceFigures> costs;
  for (size_t i = 0; i < pieces.size(); ++i) {
    costs.push_back({.name = pieces[i].name,
                     .seconds = static_cast<double>(work[i].multiplies) / speed,
                     .weight_bytes = work[i].weights * element,
                     .output_bytes = work[i].outputs * element,
                     .saves_skip = pieces[i].saves_skip,
                     .takes_skip = pieces[i].takes_skip});
  }
  return costs;
}

}  // namespace tessera::worker
