#include "tests/unit/worker/lora/adapter_builder.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tessera::lora {
namespace {

using kernels::DType;
using model::AdapterNet;

// Appends the bytes of a number.
template <typename T>
void Append(std::string& text, T number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  text.append(bytes, sizeof number);
}

// Appends a value that the type holds exactly, neither zero's neighbours nor
// infinity but for the value 0 itself.
void AppendFloat(std::string& text, DType dtype, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (dtype == DType::kF32) return Append(text, bits);
  if (dtype == DType::kBF16) {
    return Append(text, static_cast<uint16_t>(bits >> 16));
  }
  uint32_t half = bits >> 16 & 0x8000;
  if (value != 0) {
    half |= ((bits >> 23 & 0xff) - 127 + 15) << 10 | (bits >> 13 & 0x3ff);
  }
  Append(text, static_cast<uint16_t>(half));
}

std::string DTypeName(DType dtype) {
  if (dtype == DType::kF16) return "F16";
  return dtype == DType::kBF16 ? "BF16" : "F32";
}

}  // namespace

std::vector<float> Numbers(int64_t count, int seed) {
  std::vector<float> values;
  uint32_t state = static_cast<uint32_t>(seed) * 2654435761u + 12345u;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    values.push_back(static_cast<float>(static_cast<int>(state >> 26) - 32) /
                     64);
  }
  return values;
}

AdapterBuilder& AdapterBuilder::Add(const std::string& key,
                                    std::vector<int64_t> shape,
                                    const std::vector<float>& values) {
  const size_t begin = data_.size();
  for (const float value : values) AppendFloat(data_, dtype_, value);
  absl::StrAppend(&header_, header_.empty() ? "" : ",", "\"", key,
                  "\":{\"dtype\":\"", DTypeName(dtype_), "\",\"shape\":[",
                  absl::StrJoin(shape, ","), "],\"data_offsets\":[", begin, ",",
                  data_.size(), "]}");
  return *this;
}

AdapterBuilder& AdapterBuilder::Add(const std::string& key,
                                    std::vector<int64_t> shape, int seed) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return Add(key, std::move(shape), Numbers(count, seed));
}

AdapterBuilder& AdapterBuilder::AddAlpha(const std::string& key, float alpha) {
  return Add(key, {}, std::vector<float>{alpha});
}

AdapterBuilder& AdapterBuilder::AddMetadata(const std::string& name,
                                            const std::string& value) {
  std::string quoted;
  for (const char letter : value) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  absl::StrAppend(&metadata_, metadata_.empty() ? "" : ",", "\"", name, "\":\"",
                  quoted, "\"");
  return *this;
}

std::string AdapterBuilder::Bytes() const {
  std::string header = "{";
  if (!metadata_.empty()) {
    absl::StrAppend(&header, "\"__metadata__\":{", metadata_, "}",
                    header_.empty() ? "" : ",");
  }
  absl::StrAppend(&header, header_, "}");
  std::string file;
  Append(file, static_cast<uint64_t>(header.size()));
  return file + header + data_;
}

std::string AdapterBuilder::Write(const testing::TemporaryFolder& folder,
                                  const std::string& name) const {
  testing::WriteText(folder / name, Bytes());
  return folder / name;
}

OneLayer::OneLayer(const AdapterBuilder& file)
    : bytes_(file.Bytes()),
      file_(GroupByLayer(model::SafetensorsIndex::Parse(bytes_, "file").value())
                .value()) {}

ModelLayers SmallModel() {
  constexpr AdapterNet kUNet = AdapterNet::kUNet;
  constexpr AdapterNet kText = AdapterNet::kTextEncoder;
  const std::string attention = "down_blocks.0.attentions.0.";
  const std::string block = attention + "transformer_blocks.0.";
  const std::string text = "text_model.encoder.layers.0.";
  return ModelLayers(
      "small",
      {{kUNet, "conv_in", 8, 4, 3, 3, true},
       {kUNet, "time_embedding.linear_1", 16, 8, 1, 1, true},
       {kUNet, "down_blocks.0.resnets.0.norm1", 8, 0, 1, 1, true},
       {kUNet, "down_blocks.0.resnets.0.conv1", 8, 8, 3, 3, true},
       {kUNet, "down_blocks.0.resnets.0.time_emb_proj", 8, 16, 1, 1, true},
       {kUNet, "down_blocks.0.resnets.1.conv1", 8, 8, 3, 3, true},
       {kUNet, attention + "proj_in", 8, 8, 1, 1, true},
       {kUNet, block + "attn1.to_q", 8, 8, 1, 1, false},
       {kUNet, block + "attn1.to_k", 8, 8, 1, 1, false},
       {kUNet, block + "attn1.to_v", 8, 8, 1, 1, false},
       {kUNet, block + "attn1.to_out.0", 8, 8, 1, 1, true},
       {kUNet, block + "attn2.to_k", 8, 6, 1, 1, false},
       {kUNet, block + "ff.net.0.proj", 64, 8, 1, 1, true},
       {kUNet, "mid_block.resnets.1.conv2", 8, 8, 3, 3, true},
       {kUNet, "up_blocks.0.resnets.2.conv_shortcut", 8, 16, 1, 1, true},
       {kUNet, "up_blocks.0.upsamplers.0.conv", 8, 8, 3, 3, true},
       {kText, text + "self_attn.q_proj", 6, 6, 1, 1, true},
       {kText, text + "self_attn.out_proj", 6, 6, 1, 1, true},
       {kText, text + "mlp.fc1", 24, 6, 1, 1, true}});
}

}  // namespace tessera::lora
