#include "worker/model/prompt_encoder.h"

#include <array>
#include <utility>

#include "common/status_macros.h"
#include "kernels/ops/concat.h"
#include "kernels/ops/copy.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/model_parts.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::Scratch;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

// One net as a set of adapters changes it, for a pass over one prompt.
class AdaptedNet {
 public:
  // `merged` is null where the set is added row by row.
  AdaptedNet(AdapterNet net, const LayerTable& table,
             const AdapterSet& adapters, const MergedLayers* merged)
      : rows_(net, table, {adapters.by_row}), merged_(merged) {}

  // Returns a pass by this net's adapters; borrows them.
  Pass In(kernels::Stream& stream, kernels::Arena& arena) {
    return {stream, arena, rows_.empty() ? nullptr : &rows_, merged_};
  }

 private:
  AdapterRows rows_;
  const MergedLayers* merged_;
};

// Sees token ids as the batch of one that an encoder takes; borrows them.
TensorView AsBatch(std::vector<int32_t>& ids) {
  return {ids.data(), DType::kI32, Shape{1, static_cast<int64_t>(ids.size())}};
}

}  // namespace

PromptEncoder::PromptEncoder(const TextToImage& model)
    : model_(model), stream_(model.parts().device) {}

absl::StatusOr<PromptEmbeddings> PromptEncoder::Encode(
    const PromptUse& use, const AdapterSet& adapters) {
  PromptEmbeddings out;
  const TextToImage::Parts& parts = model_.parts();
  out.token_ids = parts.tokenizer.Encode(use.text);
  if (!parts.second_text.has_value()) {
    RETURN_IF_ERROR(EncodeOne(adapters, out));
    return out;
  }
  RETURN_IF_ERROR(EncodeBoth(use, adapters, out));
  RETURN_IF_ERROR(AddSizes(use, adapters, out));
  return out;
}

// Encodes one prompt [1, T]; adapters of the text encoder apply here.
absl::Status PromptEncoder::EncodeOne(const AdapterSet& adapters,
                                      PromptEmbeddings& out) {
  const ClipTextEncoder& encoder = model_.parts().text_encoder;
  kernels::Device& device = stream_.device();
  const TensorView ids = AsBatch(out.token_ids);
  ASSIGN_OR_RETURN(
      out.embeddings,
      Tensor::Create(device, Shape{1, ids.shape[1], encoder.width()},
                     device.compute_dtype()));
  AdaptedNet net(
      AdapterNet::kTextEncoder, encoder.table(), adapters,
      adapters.merged == nullptr ? nullptr : &adapters.merged->text_encoder);
  return text_arena_.Run(stream_, [&] {
    encoder.Forward(net.In(stream_, text_arena_), ids, out.embeddings.view());
  });
}

// Encodes one prompt by both encoders and pools the second, as diffusers'
// StableDiffusionXLPipeline.encode_prompt does.
absl::Status PromptEncoder::EncodeBoth(const PromptUse& use,
                                       const AdapterSet& adapters,
                                       PromptEmbeddings& out) {
  const TextToImage::Parts& parts = model_.parts();
  const ClipTextEncoder& first = parts.text_encoder;
  const ClipTextEncoder& second = parts.second_text->encoder;
  kernels::Device& device = stream_.device();
  const auto tokens = static_cast<int64_t>(out.token_ids.size());
  const Shape shape{1, tokens, first.width() + second.width()};
  const Shape pooled{1, second.pooled_width()};
  ASSIGN_OR_RETURN(out.embeddings,
                   Tensor::Create(device, shape, device.compute_dtype()));
  ASSIGN_OR_RETURN(out.pooled,
                   Tensor::Create(device, pooled, device.compute_dtype()));
  // Leaves the zeros that memory begins with.
  if (use.zeros) return absl::OkStatus();
  // Pads with another token than the first tokenizer does.
  std::vector<int32_t> ids = parts.second_text->tokenizer.Encode(use.text);
  const MergedNets* const merged = adapters.merged.get();
  AdaptedNet net_1(AdapterNet::kTextEncoder, first.table(), adapters,
                   merged == nullptr ? nullptr : &merged->text_encoder);
  AdaptedNet net_2(AdapterNet::kTextEncoder2, second.table(), adapters,
                   merged == nullptr ? nullptr : &merged->text_encoder_2);
  return text_arena_.Run(stream_, [&] {
    const Pass pass_1 = net_1.In(stream_, text_arena_);
    const Pass pass_2 = net_2.In(stream_, text_arena_);
    const Scratch a = pass_1.Allocate(Shape{1, tokens, first.width()});
    first.ForwardPenultimate(pass_1, AsBatch(out.token_ids), a.view());
    const Scratch b = pass_2.Allocate(Shape{1, tokens, second.width()});
    second.ForwardPenultimate(pass_2, AsBatch(ids), b.view());
    second.Pool(pass_2, b.view(), second.PooledToken(ids), out.pooled.view());
    kernels::ConcatChannels(
        stream_, {.a = a.view(), .b = b.view(), .out = out.embeddings.view()});
  });
}

// Joins the pooled text with the sizes that a whole picture has: it was made at
// its size and nothing was cut off. Adapters of the UNet apply here.
absl::Status PromptEncoder::AddSizes(const PromptUse& use,
                                     const AdapterSet& adapters,
                                     PromptEmbeddings& out) {
  const UNet& unet = model_.parts().unet;
  const AddedEmbedding& embedding = *unet.added_embedding();
  kernels::Device& device = stream_.device();
  ASSIGN_OR_RETURN(out.added,
                   Tensor::Create(device, Shape{1, embedding.outputs()},
                                  device.compute_dtype()));
  const auto height = static_cast<float>(use.height);
  const auto width = static_cast<float>(use.width);
  std::array<float, UNetConfig::kAddedNumbers> numbers = {height, width, 0, 0,
                                                          height, width};
  AdaptedNet net(AdapterNet::kUNet, unet.table(), adapters,
                 adapters.merged == nullptr ? nullptr : &adapters.merged->unet);
  return added_arena_.Run(stream_, [&] {
    const Pass pass = net.In(stream_, added_arena_);
    const Shape shape{UNetConfig::kAddedNumbers};
    const Scratch sent = added_arena_.Allocate(shape, DType::kF32);
    kernels::Copy(stream_, {.source = {numbers.data(), DType::kF32, shape},
                            .out = sent.view()});
    embedding.Forward(pass, out.pooled.view(), sent.view(), out.added.view());
  });
}

}  // namespace tessera::model
