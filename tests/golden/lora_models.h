// Models with weights that need not be stored, for the golden LoRAs.
#ifndef TESSERA_TESTS_GOLDEN_LORA_MODELS_H_
#define TESSERA_TESTS_GOLDEN_LORA_MODELS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tessera::golden {

// Returns the weights that make_lora.py gives a tensor: a hash of its name and
// of each index, spread by the number of inputs.
std::vector<float> Pristine(const std::string& name,
                            const std::vector<int64_t>& shape);

// The shape of every tensor of a net.
using Shapes = std::map<std::string, std::vector<int64_t>>;

// Writes a safetensors file of such weights, with its folder.
void WritePristineNet(const std::string& path, const Shapes& shapes);

// Makes `folder` a model like the one in `base`, but with the UNet that
// `unet_json` (sd1/unet.json) describes.
void WriteSd1Model(const std::string& folder, const std::string& base,
                   const std::string& unet_json);

// Makes `folder` hold the nets that `layers_json` (sdxl/layers.json) lists:
// enough to read layers from, without configs.
void WriteXlLayers(const std::string& folder, const std::string& layers_json);

}  // namespace tessera::golden

#endif  // TESSERA_TESTS_GOLDEN_LORA_MODELS_H_
