// LoRA files made in a test, and a small model to hold them against.
#ifndef TESSERA_TESTS_UNIT_WORKER_LORA_ADAPTER_BUILDER_H_
#define TESSERA_TESTS_UNIT_WORKER_LORA_ADAPTER_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/dtype.h"
#include "tests/support/temporary_folder.h"
#include "worker/lora/layer_parts.h"
#include "worker/lora/model_layers.h"
#include "worker/model/safetensors.h"

namespace tessera::lora {

// Returns `count` numbers in [-1/2, 1/2) that f16 and bf16 hold exactly;
// another seed gives others.
std::vector<float> Numbers(int64_t count, int seed);

// Puts a safetensors file together, tensor by tensor.
class AdapterBuilder {
 public:
  // Takes the type in which the tensors added from now on are written: f32,
  // f16 or bf16.
  explicit AdapterBuilder(kernels::DType dtype = kernels::DType::kF32)
      : dtype_(dtype) {}

  AdapterBuilder& Add(const std::string& key, std::vector<int64_t> shape,
                      const std::vector<float>& values);
  // Adds a tensor of Numbers.
  AdapterBuilder& Add(const std::string& key, std::vector<int64_t> shape,
                      int seed);
  AdapterBuilder& AddAlpha(const std::string& key, float alpha);
  AdapterBuilder& AddMetadata(const std::string& name,
                              const std::string& value);

  // Returns the file.
  std::string Bytes() const;
  // Writes the file into `folder` and returns its path.
  std::string Write(const testing::TemporaryFolder& folder,
                    const std::string& name) const;

 private:
  const kernels::DType dtype_;
  std::string header_;
  std::string metadata_;
  std::string data_;
};

// A file's bytes and what is read from them, for tests of one kind.
class OneLayer {
 public:
  explicit OneLayer(const AdapterBuilder& file);

  const LayerParts& parts() const { return file_.layers.at(0); }

 private:
  const std::string bytes_;
  GroupedFile file_;
};

// Returns the layers of a UNet of one block each way and a text encoder of one
// layer, as Stable Diffusion 1 names them, with 8 channels and texts of 6.
ModelLayers SmallModel();

}  // namespace tessera::lora

#endif  // TESSERA_TESTS_UNIT_WORKER_LORA_ADAPTER_BUILDER_H_
