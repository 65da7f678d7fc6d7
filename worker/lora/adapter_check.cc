#include "worker/lora/adapter_check.h"

#include <memory>

#include "common/status_macros.h"
#include "kernels/device.h"
#include "worker/lora/adapter_file.h"
#include "worker/lora/model_layers.h"

namespace tessera::lora {

absl::StatusOr<AdapterReport> CheckAdapterFile(const std::string& path,
                                               const std::string& model_dir) {
  // Reads headers only: a model of many gigabytes is checked at once.
  ASSIGN_OR_RETURN(const ModelLayers layers, ModelLayers::Read(model_dir));
  // Packing is all the device does here.
  ASSIGN_OR_RETURN(const std::unique_ptr<kernels::Device> device,
                   kernels::CreateCpuDevice(1));
  ASSIGN_OR_RETURN(BoundAdapter bound,
                   BindAdapterFile(path, layers, {}, *device));
  return std::move(bound.report);
}

}  // namespace tessera::lora
