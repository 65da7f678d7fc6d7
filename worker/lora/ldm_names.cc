#include "worker/lora/ldm_names.h"

#include <algorithm>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tessera::lora {
namespace {

// One name in either world.
struct Pair {
  std::string_view diffusers, ldm;
};

// Names the layers that are in no block.
constexpr Pair kOutside[] = {
    {"conv_in", "input_blocks.0.0"},
    {"time_embedding.linear_1", "time_embed.0"},
    {"time_embedding.linear_2", "time_embed.2"},
    {"add_embedding.linear_1", "label_emb.0.0"},
    {"add_embedding.linear_2", "label_emb.0.2"},
    {"conv_norm_out", "out.0"},
    {"conv_out", "out.2"},
};

// Names the layers of a resnet.
constexpr Pair kResnet[] = {
    {"norm1", "in_layers.0"},          {"conv1", "in_layers.2"},
    {"time_emb_proj", "emb_layers.1"}, {"norm2", "out_layers.0"},
    {"conv2", "out_layers.3"},         {"conv_shortcut", "skip_connection"},
};

// Takes a name apart from its start.
class Reader {
 public:
  explicit Reader(std::string_view name) : rest_(name) {}

  // Takes `text` and the dot after it, if the name goes on like that.
  bool Take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    const std::string_view after = rest_.substr(text.size());
    if (!after.starts_with('.')) return false;
    rest_ = after.substr(1);
    return true;
  }

  // Takes a number and the dot after it.
  std::optional<int64_t> TakeNumber() {
    const size_t dot = rest_.find('.');
    int64_t number = 0;
    if (dot == rest_.npos ||
        !absl::SimpleAtoi(std::string(rest_.substr(0, dot)), &number) ||
        number < 0) {
      return std::nullopt;
    }
    rest_.remove_prefix(dot + 1);
    return number;
  }

  // Returns what is left, without a dot at its start.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Finds the other name of `name` in a table.
template <size_t n>
std::optional<std::string> Translate(const Pair (&table)[n],
                                     std::string_view name) {
  for (const Pair& pair : table) {
    if (pair.diffusers == name) return std::string(pair.ldm);
  }
  return std::nullopt;
}

// Names what follows a block's number: block `base` counts its layers on from
// there, in `side`.
struct Side {
  std::string_view name;  // input_blocks or output_blocks
  int64_t base = 0;       // number of the block's first layer
};

// Names a resnet's or transformer's layer.
std::optional<std::string> InBlock(const Side& side, Reader reader) {
  // Tells the two kinds of layers in a block apart by their column.
  const bool resnet = reader.Take("resnets");
  if (!resnet && !reader.Take("attentions")) return std::nullopt;
  const std::optional<int64_t> number = reader.TakeNumber();
  if (!number.has_value()) return std::nullopt;
  const std::string layer =
      absl::StrCat(std::string(side.name), ".", side.base + *number);
  if (!resnet) return absl::StrCat(layer, ".1.", std::string(reader.rest()));
  const auto part = Translate(kResnet, reader.rest());
  if (!part.has_value()) return std::nullopt;
  return absl::StrCat(layer, ".0.", *part);
}

// Names a layer of the middle: resnet, transformer, resnet.
std::optional<std::string> InMiddle(Reader reader) {
  if (reader.Take("attentions")) {
    const auto number = reader.TakeNumber();
    if (number != int64_t{0}) return std::nullopt;
    return absl::StrCat("middle_block.1.", std::string(reader.rest()));
  }
  if (!reader.Take("resnets")) return std::nullopt;
  const auto number = reader.TakeNumber();
  const auto part = Translate(kResnet, reader.rest());
  if (!number.has_value() || *number > 1 || !part.has_value()) {
    return std::nullopt;
  }
  return absl::StrCat("middle_block.", 2 * *number, ".", *part);
}

}  // namespace

UNetBlocks UNetBlocks::Of(const std::vector<std::string>& names) {
  // Collects numbers, since names come in any order.
  std::set<int64_t> resnets;       // of the first down block
  std::set<int64_t> blocks, with;  // up blocks, and those with transformers
  for (const std::string& name : names) {
    Reader down(name), up(name);
    if (down.Take("down_blocks") && down.TakeNumber() == int64_t{0} &&
        down.Take("resnets")) {
      if (const auto number = down.TakeNumber()) resnets.insert(*number);
    }
    if (!up.Take("up_blocks")) continue;
    const auto block = up.TakeNumber();
    if (!block.has_value()) continue;
    blocks.insert(*block);
    if (up.Take("attentions")) with.insert(*block);
  }
  // Takes the blocks in their order; a set of numbers is sorted.
  UNetBlocks result{.layers_per_block = static_cast<int64_t>(resnets.size())};
  for (const int64_t block : blocks) {
    result.up_attention.push_back(with.count(block) > 0);
  }
  return result;
}

std::optional<std::string> LdmName(std::string_view name,
                                   const UNetBlocks& blocks) {
  if (auto outside = Translate(kOutside, name)) return outside;
  Reader reader(name);
  if (reader.Take("mid_block")) return InMiddle(reader);
  const bool down = reader.Take("down_blocks");
  if (!down && !reader.Take("up_blocks")) return std::nullopt;
  const std::optional<int64_t> block = reader.TakeNumber();
  if (!block.has_value()) return std::nullopt;
  // Every block has one number for each resnet and one for its resampler; an
  // up block has one resnet more, and its resampler shares the last number.
  const int64_t base = *block * (blocks.layers_per_block + 1);
  const int64_t last = base + blocks.layers_per_block;
  if (down) {
    // Number 0 of the input blocks is conv_in.
    if (reader.rest() == "downsamplers.0.conv") {
      return absl::StrCat("input_blocks.", last + 1, ".0.op");
    }
    return InBlock({"input_blocks", base + 1}, reader);
  }
  if (reader.rest() == "upsamplers.0.conv") {
    const auto index = static_cast<size_t>(*block);
    const bool attention =
        index < blocks.up_attention.size() && blocks.up_attention[index];
    return absl::StrCat("output_blocks.", last, attention ? ".2" : ".1",
                        ".conv");
  }
  return InBlock({"output_blocks", base}, reader);
}

}  // namespace tessera::lora
