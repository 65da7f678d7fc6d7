#include "worker/lora/peft_metadata.h"

#include <cmath>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace tessera::lora {
namespace {

using model::AdapterNet;
// Keeps the order of the file, by which PEFT chooses among patterns.
using json = nlohmann::ordered_json;

// Names the metadata entry.
constexpr const char* kEntry = "lora_adapter_metadata";

// Names the nets as the entry's fields begin.
constexpr std::pair<std::string_view, AdapterNet> kNets[] = {
    {"", AdapterNet::kUNet},  // of a file that holds one UNet's adapter
    {"unet.", AdapterNet::kUNet},
    {"text_encoder.", AdapterNet::kTextEncoder},
    {"text_encoder_2.", AdapterNet::kTextEncoder2}};

// Refuses one field of the entry.
absl::Status FieldError(std::string_view what, const std::string& field) {
  return absl::InvalidArgumentError(
      absl::StrCat(kEntry, ": ", std::string(what), ": ", field));
}

// Reads an alpha: a finite number other than 0.
absl::StatusOr<double> ReadAlpha(const json& value, const std::string& field) {
  if (!value.is_number()) return FieldError("not a number", field);
  const auto alpha = value.get<double>();
  if (!std::isfinite(alpha)) return FieldError("not finite", field);
  if (alpha == 0) return FieldError("alpha is 0", field);
  return alpha;
}

// Says whether PEFT's pattern is a plain name, not a regular expression.
bool IsName(std::string_view pattern) {
  return !pattern.empty() &&
         pattern.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "_.") == pattern.npos;
}

// Says whether PEFT would apply `pattern` to `layer`: it is the name, or its
// end after a dot (peft.utils.get_pattern_key).
bool Matches(std::string_view layer, std::string_view pattern) {
  if (!layer.ends_with(pattern)) return false;
  return layer.size() == pattern.size() ||
         layer[layer.size() - pattern.size() - 1] == '.';
}

}  // namespace

absl::StatusOr<PeftScales> PeftScales::Read(
    const std::map<std::string, std::string>& metadata) {
  PeftScales scales;
  const auto entry = metadata.find(kEntry);
  if (entry == metadata.end()) return scales;
  // Trusts nothing of it: whoever made the file wrote it.
  const json config = json::parse(entry->second, nullptr, false);
  if (!config.is_object()) {
    return FieldError("not a JSON object", "metadata of the file");
  }
  for (const auto& [prefix, net] : kNets) {
    const std::string start(prefix);
    // Knows a net by its alpha, which every configuration has.
    const auto alpha = config.find(start + "lora_alpha");
    if (alpha == config.end()) continue;
    Net& read = scales.nets_[net];
    ASSIGN_OR_RETURN(read.alpha, ReadAlpha(*alpha, alpha.key()));
    const auto stabilised = config.find(start + "use_rslora");
    read.rank_stabilised = stabilised != config.end() && *stabilised == true;
    // Reads the layers that have an alpha of their own.
    const auto patterns = config.find(start + "alpha_pattern");
    if (patterns == config.end() || !patterns->is_object()) continue;
    for (const auto& [pattern, value] : patterns->items()) {
      if (!IsName(pattern)) return FieldError("not a layer's name", pattern);
      ASSIGN_OR_RETURN(const double own, ReadAlpha(value, pattern));
      read.patterns.emplace_back(pattern, own);
    }
  }
  return scales;
}

std::optional<double> PeftScales::ScaleOf(AdapterNet net,
                                          const std::string& layer,
                                          int64_t lora_rank) const {
  const auto found = nets_.find(net);
  if (found == nets_.end()) return std::nullopt;
  // Falls back to the alpha of the net.
  double alpha = found->second.alpha;
  for (const auto& [pattern, own] : found->second.patterns) {
    if (!Matches(layer, pattern)) continue;
    alpha = own;
    break;
  }
  const auto rank = static_cast<double>(lora_rank);
  return alpha / (found->second.rank_stabilised ? std::sqrt(rank) : rank);
}

}  // namespace tessera::lora
