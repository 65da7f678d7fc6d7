// Named tensors with the shape the model expects, or an error that names them.
#ifndef TESSERA_WORKER_MODEL_WEIGHT_READER_H_
#define TESSERA_WORKER_MODEL_WEIGHT_READER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/input_ranges.h"
#include "worker/model/safetensors.h"

namespace tessera::model {

// Reads the weights of one part of a model. Immutable; thread-safe.
class WeightReader {
 public:
  // Opens the weights file in `folder`: `stem`.safetensors or its ".fp16"
  // variant, such as "diffusion_pytorch_model", and kInputRangesFile if it is
  // there. Errors: NOT_FOUND naming the file, or as of Safetensors::Open and
  // InputRanges::Parse.
  static absl::StatusOr<WeightReader> Open(const std::string& folder,
                                           const std::string& stem);

  // Whether the file has a tensor `name`.
  bool Has(std::string_view name) const;

  // Returns the tensor `name` as f32. Errors: INVALID_ARGUMENT naming file and
  // tensor when it is missing or has another shape.
  absl::StatusOr<kernels::Tensor> Read(const std::string& name,
                                       const kernels::Shape& shape) const;

  const Safetensors& file() const { return file_; }

  // What is known of the inputs of the part's layers; nothing as a rule.
  const InputRanges& input_ranges() const { return input_ranges_; }

 private:
  explicit WeightReader(Safetensors file);

  Safetensors file_;
  InputRanges input_ranges_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_WEIGHT_READER_H_
