#include "worker/model/linear.h"

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "common/check.h"
#include "common/status_macros.h"
#include "kernels/fp8_matrix.h"
#include "kernels/ops/elementwise.h"
#include "kernels/ops/gemm.h"
#include "kernels/ops/lora_gemm.h"
#include "kernels/transfer.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/merged_layers.h"

namespace tessera::model {

using kernels::Activation;
using kernels::DType;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

namespace {

// Adds the matrix in 8 bits where the largest input is known and the device is
// no CPU, which multiplies f32.
absl::Status AddFp8(const LayerSource& source, const LinearSpec& spec,
                    const TensorView& weight, kernels::PackedWeights& matrix) {
  const std::optional<float> largest =
      source.reader.input_ranges().Find(spec.names);
  if (!largest.has_value() || !source.device.has_own_memory()) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const kernels::Fp8Matrix> fp8,
                   kernels::MakeFp8Matrix(source.device, weight, *largest));
  matrix.set_fp8(std::move(fp8));
  return absl::OkStatus();
}

}  // namespace

// Stacks the parts' weights [outputs, inputs] to one matrix, so that one gemm
// makes the parts' outputs side by side.
absl::StatusOr<Linear> Linear::Load(const LayerSource& source,
                                    const LinearSpec& spec) {
  const int64_t parts = static_cast<int64_t>(spec.names.size());
  const Shape part_shape = spec.as_conv ? Shape{spec.outputs, spec.inputs, 1, 1}
                                        : Shape{spec.outputs, spec.inputs};
  Tensor weight(Shape{parts * spec.outputs, spec.inputs}, DType::kF32);
  Tensor bias(Shape{spec.bias ? parts * spec.outputs : 0}, DType::kF32);
  for (int64_t i = 0; i < parts; ++i) {
    const std::string& name = spec.names[static_cast<size_t>(i)];
    ASSIGN_OR_RETURN(const Tensor part,
                     source.reader.Read(name + ".weight", part_shape));
    std::memcpy(weight.f32() + i * part_shape.elements(), part.f32(),
                static_cast<size_t>(part.bytes()));
    if (spec.bias) {
      ASSIGN_OR_RETURN(const Tensor part_bias,
                       source.reader.Read(name + ".bias", Shape{spec.outputs}));
      std::memcpy(bias.f32() + i * spec.outputs, part_bias.f32(),
                  static_cast<size_t>(part_bias.bytes()));
    }
  }
  ASSIGN_OR_RETURN(auto matrix,
                   kernels::PackGemmWeights(source.device, weight.view()));
  RETURN_IF_ERROR(AddFp8(source, spec, weight.view(), matrix));
  Linear linear;
  linear.weights_.matrix =
      std::make_shared<const kernels::PackedWeights>(std::move(matrix));
  if (spec.bias) {
    ASSIGN_OR_RETURN(bias, kernels::ToDevice(source.device, std::move(bias),
                                             source.device.compute_dtype()));
    linear.weights_.bias = std::make_shared<const Tensor>(std::move(bias));
  }
  linear.slot_ = source.table.AddWeights(linear.weights_);
  for (int64_t i = 0; i < parts; ++i) {
    linear.layers_.push_back(
        source.table.Add({.name = spec.names[static_cast<size_t>(i)],
                          .outputs = spec.outputs,
                          .inputs = spec.inputs,
                          .slot = linear.slot_,
                          .first_output = i * spec.outputs}));
  }
  return linear;
}

// Says whether any part has an adapter in this batch.
bool Linear::Adapted(const Pass& pass) const {
  if (pass.adapters == nullptr) return false;
  for (const int layer : layers_) {
    if (pass.adapters->Has(layer)) return true;
  }
  return false;
}

// Flattens all axes but the last: a linear layer sees rows.
void Linear::Forward(const Pass& pass, const TensorView& x,
                     const TensorView& out, const LinearExtras& extras) const {
  const int64_t rows = x.shape.elements() / inputs();
  const TensorView a = x.Reshaped(Shape{rows, inputs()});
  const TensorView y = out.Reshaped(Shape{rows, outputs()});
  const WeightsInPass weights(pass, slot_, weights_);
  std::optional<TensorView> bias;
  if (weights.bias() != nullptr) bias = weights.bias()->view();
  std::optional<TensorView> residual;
  if (extras.residual.has_value()) {
    residual = extras.residual->Reshaped(y.shape);
  }
  if (!Adapted(pass)) {
    kernels::Gemm(pass.stream, {.a = a,
                                .weights = weights.matrix(),
                                .bias = bias,
                                .activation = extras.activation,
                                .residual = residual,
                                .out = y});
    return;
  }
  // Adapters add to what the activation is applied to.
  CHECK(extras.activation == Activation::kNone || !residual.has_value());
  kernels::Gemm(pass.stream, {.a = a,
                              .weights = weights.matrix(),
                              .bias = bias,
                              .residual = residual,
                              .out = y});
  AddAdapters(pass, a, y);
  if (extras.activation != Activation::kNone) {
    kernels::Activate(pass.stream,
                      {.input = y, .activation = extras.activation, .out = y});
  }
}

// Adds each part's adapters to the columns [i * width, (i + 1) * width) that
// the part made; x and out are matrices.
void Linear::AddAdapters(const Pass& pass, const TensorView& x,
                         const TensorView& out) const {
  const int64_t width = outputs() / static_cast<int64_t>(layers_.size());
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (!pass.adapters->Has(layers_[i])) continue;
    kernels::LoraGemm(pass.stream,
                      {.x = x,
                       .segments = pass.adapters->For(layers_[i], x.shape[0]),
                       .out = out,
                       .out_column = static_cast<int64_t>(i) * width});
  }
}

}  // namespace tessera::model
