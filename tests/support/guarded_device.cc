#include "tests/support/guarded_device.h"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/check.h"
#include "kernels/convert.h"
#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/e4m3.h"
#include "kernels/fp8_matrix.h"
#include "kernels/row_major_weights.h"
#include "tests/support/guarded_memory.h"

namespace tessera {
namespace {

using kernels::DType;
using kernels::LoraSegment;
using kernels::PackedWeights;
using kernels::Shape;
using kernels::Stream;
using kernels::Tensor;
using kernels::TensorView;

// A queue that is always empty: ops have ended when they return.
class GuardedBackend final : public kernels::DeviceBackend {
 public:
  explicit GuardedBackend(int64_t bytes) : memory_(bytes) {}

  GuardedMemory& memory() override { return memory_; }
  absl::Status Synchronize() override { return absl::OkStatus(); }
  absl::Status health() const override { return absl::OkStatus(); }
  bool can_record() const override { return false; }
  absl::Status BeginRecording() override {
    return absl::UnimplementedError("guarded: does not record");
  }
  absl::StatusOr<std::unique_ptr<kernels::Recording>> EndRecording() override {
    return absl::UnimplementedError("guarded: does not record");
  }

 private:
  GuardedMemory memory_;
};

// Whether a layer is multiplied in 8 bits, as on a GPU.
bool MultipliesFp8(const PackedWeights& weights) {
  return weights.fp8() != nullptr && weights.n() % 16 == 0 &&
         weights.k() % 16 == 0;
}

// The time of one op: the memory is open, and the CPU's op is given f32 copies
// of operands of another type. At its end results are rounded to their places.
class Window {
 public:
  explicit Window(Stream& stream)
      : memory_(
            static_cast<GuardedBackend*>(stream.device().backend())->memory()) {
    memory_.Open();
  }
  ~Window() {
    for (const Result& result : results_) {
      Convert(result.f32.view(), result.place);
    }
    memory_.Close();
  }

  // Returns an operand that is read.
  TensorView In(const TensorView& view) {
    if (view.dtype != DType::kF16 && view.dtype != DType::kBF16) return view;
    const Tensor& f32 = copies_.emplace_back(view.shape, DType::kF32);
    Convert(view, f32.view());
    return f32.view();
  }
  std::optional<TensorView> In(const std::optional<TensorView>& view) {
    if (!view.has_value()) return std::nullopt;
    return In(*view);
  }

  // Returns an operand that is written, with its old contents.
  TensorView Out(const TensorView& view) {
    if (view.dtype != DType::kF16 && view.dtype != DType::kBF16) return view;
    Result& result =
        results_.emplace_back(Result{Tensor(view.shape, DType::kF32), view});
    Convert(view, result.f32.view());
    return result.f32.view();
  }

  // Returns weights in the CPU's layout.
  const PackedWeights& Weights(const PackedWeights& weights) {
    const absl::StatusOr<Tensor> f32 = kernels::UnpackRowMajor(weights);
    CHECK(f32.ok());
    return Pack(weights, f32->f32());
  }

  // Returns a layer's weights in 8 bits, times the scales of its rows.
  const PackedWeights& Fp8Weights(const PackedWeights& weights) {
    const kernels::Fp8Matrix& fp8 = *weights.fp8();
    const TensorView values = fp8.values.view(), scales = fp8.scales.view();
    Tensor f32(Shape{weights.n(), weights.k()}, DType::kF32);
    for (int64_t i = 0; i < f32.shape().elements(); ++i) {
      f32.f32()[i] =
          kernels::E4M3ToFloat(values.u8()[i]) * scales.f32()[i / weights.k()];
    }
    return Pack(weights, f32.f32());
  }

  // Returns an operand rounded to 8 bits, in units of a layer's input scale.
  TensorView Fp8In(const TensorView& view, float input_scale) {
    const TensorView wide = In(view);
    const Tensor& rounded = copies_.emplace_back(view.shape, DType::kF32);
    for (int64_t i = 0; i < view.shape.elements(); ++i) {
      rounded.view().f32()[i] = kernels::E4M3ToFloat(
          kernels::FloatToE4M3(wide.f32()[i] * (1 / input_scale)));
    }
    return rounded.view();
  }

 private:
  struct Result {
    Tensor f32;
    TensorView place;
  };

  // Keeps weights [n, channels, kernel_h, kernel_w] as the CPU packs them.
  const PackedWeights& Pack(const PackedWeights& like, const float* values) {
    const kernels::WeightMatrix matrix{.values = values,
                                       .n = like.n(),
                                       .channels = like.input_channels(),
                                       .kernel_h = like.kernel_h(),
                                       .kernel_w = like.kernel_w()};
    absl::StatusOr<Tensor> panels =
        kernels::cpu::PackWeights(like.device(), matrix);
    CHECK(panels.ok());
    return weights_.emplace_back(like.device(), *std::move(panels), matrix);
  }

  static void Convert(const TensorView& from, const TensorView& to) {
    kernels::ConvertElements(from.data, from.dtype, to.data, to.dtype, 0,
                             from.shape.elements());
  }

  GuardedMemory& memory_;
  // Deques, so that what was returned stays where it is.
  std::deque<Tensor> copies_;
  std::deque<Result> results_;
  std::deque<PackedWeights> weights_;
};

void Add(Stream& stream, const kernels::AddArgs& args) {
  Window window(stream);
  kernels::cpu::Add(stream, {.a = window.In(args.a),
                             .b = window.In(args.b),
                             .out = window.Out(args.out)});
}

void Activate(Stream& stream, const kernels::ActivateArgs& args) {
  Window window(stream);
  kernels::cpu::Activate(stream, {.input = window.In(args.input),
                                  .activation = args.activation,
                                  .out = window.Out(args.out)});
}

void Attention(Stream& stream, const kernels::AttentionArgs& args) {
  Window window(stream);
  kernels::AttentionArgs wide = args;
  wide.q = window.In(args.q);
  wide.k = window.In(args.k);
  wide.v = window.In(args.v);
  wide.out = window.Out(args.out);
  kernels::cpu::Attention(stream, wide);
}

void ConcatChannels(Stream& stream, const kernels::ConcatChannelsArgs& args) {
  Window window(stream);
  kernels::cpu::ConcatChannels(stream, {.a = window.In(args.a),
                                        .b = window.In(args.b),
                                        .out = window.Out(args.out)});
}

void Conv2d(Stream& stream, const kernels::Conv2dArgs& args) {
  Window window(stream);
  kernels::cpu::Conv2d(stream, {.input = window.In(args.input),
                                .weights = window.Weights(args.weights),
                                .bias = window.In(args.bias),
                                .channel_add = window.In(args.channel_add),
                                .residual = window.In(args.residual),
                                .stride = args.stride,
                                .padding = args.padding,
                                .out = window.Out(args.out)});
}

void Copy(Stream& stream, const kernels::CopyArgs& args) {
  Window window(stream);
  kernels::cpu::Copy(stream, args);
}

void Geglu(Stream& stream, const kernels::GegluArgs& args) {
  Window window(stream);
  kernels::cpu::Geglu(
      stream, {.input = window.In(args.input), .out = window.Out(args.out)});
}

void Gemm(Stream& stream, const kernels::GemmArgs& args) {
  Window window(stream);
  const bool fp8 = MultipliesFp8(args.weights);
  kernels::cpu::Gemm(
      stream, {.a = fp8 ? window.Fp8In(args.a, args.weights.fp8()->input_scale)
                        : window.In(args.a),
               .a_column = args.a_column,
               .weights = fp8 ? window.Fp8Weights(args.weights)
                              : window.Weights(args.weights),
               .bias = window.In(args.bias),
               .activation = args.activation,
               .residual = window.In(args.residual),
               .out = window.Out(args.out)});
}

void GroupNorm(Stream& stream, const kernels::GroupNormArgs& args) {
  Window window(stream);
  kernels::GroupNormArgs wide = args;
  wide.input = window.In(args.input);
  wide.out = window.Out(args.out);
  kernels::cpu::GroupNorm(stream, wide);
}

void ImageBytes(Stream& stream, const kernels::ImageBytesArgs& args) {
  Window window(stream);
  kernels::cpu::ImageBytes(stream,
                           {.input = window.In(args.input), .out = args.out});
}

void LayerNorm(Stream& stream, const kernels::LayerNormArgs& args) {
  Window window(stream);
  kernels::LayerNormArgs wide = args;
  wide.input = window.In(args.input);
  wide.out = window.Out(args.out);
  kernels::cpu::LayerNorm(stream, wide);
}

void LoraGemm(Stream& stream, const kernels::LoraGemmArgs& args) {
  Window window(stream);
  std::vector<LoraSegment> segments(args.segments.begin(), args.segments.end());
  for (LoraSegment& segment : segments) {
    if (segment.down != nullptr) segment.down = &window.Weights(*segment.down);
    segment.up = &window.Weights(*segment.up);
  }
  kernels::cpu::LoraGemm(stream, {.x = window.In(args.x),
                                  .x_column = args.x_column,
                                  .segments = segments,
                                  .out = window.Out(args.out),
                                  .out_column = args.out_column});
}

void ResizeNearest(Stream& stream, const kernels::ResizeNearestArgs& args) {
  Window window(stream);
  kernels::cpu::ResizeNearest(
      stream, {.input = window.In(args.input), .out = window.Out(args.out)});
}

void SamplerStep(Stream& stream, const kernels::SamplerStepArgs& args) {
  Window window(stream);
  kernels::SamplerStepArgs wide = args;
  wide.model_output = window.In(args.model_output);
  kernels::cpu::SamplerStep(stream, wide);
}

void ScaleRows(Stream& stream, const kernels::ScaleRowsArgs& args) {
  Window window(stream);
  kernels::ScaleRowsArgs wide = args;
  wide.out = window.Out(args.out);
  kernels::cpu::ScaleRows(stream, wide);
}

void TimestepEmbedding(Stream& stream,
                       const kernels::TimestepEmbeddingArgs& args) {
  Window window(stream);
  kernels::TimestepEmbeddingArgs wide = args;
  wide.out = window.Out(args.out);
  kernels::cpu::TimestepEmbedding(stream, wide);
}

void TokenEmbedding(Stream& stream, const kernels::TokenEmbeddingArgs& args) {
  Window window(stream);
  kernels::cpu::TokenEmbedding(stream, {.ids = args.ids,
                                        .table = window.In(args.table),
                                        .positions = window.In(args.positions),
                                        .out = window.Out(args.out)});
}

const kernels::OpTable& Ops() {
  static constexpr kernels::OpTable kOps = {
      .add = Add,
      .activate = Activate,
      .attention = Attention,
      .concat_channels = ConcatChannels,
      .conv2d = Conv2d,
      .copy = Copy,
      .geglu = Geglu,
      .gemm = Gemm,
      .group_norm = GroupNorm,
      .image_bytes = ImageBytes,
      .layer_norm = LayerNorm,
      .lora_gemm = LoraGemm,
      .resize_nearest = ResizeNearest,
      .sampler_step = SamplerStep,
      .scale_rows = ScaleRows,
      .timestep_embedding = TimestepEmbedding,
      .token_embedding = TokenEmbedding,
      .pack_weights = kernels::PackRowMajor,
      .unpack_weights = kernels::UnpackRowMajor,
  };
  return kOps;
}

}  // namespace

std::unique_ptr<kernels::Device> MakeGuardedDevice(
    const GuardedDeviceOptions& options) {
  return std::make_unique<kernels::Device>(kernels::DeviceParts{
      .name = "guarded",
      .ops = Ops(),
      .compute_dtype = options.compute_dtype,
      .pool = std::make_shared<kernels::cpu::ThreadPool>(options.threads),
      .backend = std::make_unique<GuardedBackend>(options.bytes),
      .description = "guarded memory"});
}

}  // namespace tessera
