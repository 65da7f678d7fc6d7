#include "kernels/cuda/gemm_plans.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace tessera::kernels::cuda {
namespace {

// Counts device, version, n, k, dtype, bias, residual, alignment, words.
constexpr size_t kOwnFields = 8;
constexpr size_t kFields = kOwnFields + std::tuple_size_v<GemmAlgorithm>;

// Names of devices contain spaces, so fields are set apart by tabs.
constexpr char kSeparator = '\t';

// Ends the name of a type whose products are of E4M3.
constexpr std::string_view kFp8 = "+fp8";

// Reads the float types that a plan may have.
std::optional<DType> ParseDType(std::string_view name) {
  if (name == Name(DType::kF16)) return DType::kF16;
  if (name == Name(DType::kBF16)) return DType::kBF16;
  if (name == Name(DType::kF32)) return DType::kF32;
  return std::nullopt;
}

// A line of the file.
struct Line {
  std::string device;
  int64_t version = 0;
  GemmKey key;
  GemmAlgorithm algorithm;
};

// Reads a line; none when any field is not what it should be.
std::optional<Line> ParseLine(const std::string& text) {
  const std::vector<std::string> fields = absl::StrSplit(text, kSeparator);
  if (fields.size() != kFields) return std::nullopt;
  Line line;
  line.device = fields[0];
  int bias = 0, residual = 0;
  std::string_view type = fields[4];
  line.key.fp8 = type.ends_with(kFp8);
  if (line.key.fp8) type.remove_suffix(kFp8.size());
  const std::optional<DType> dtype = ParseDType(type);
  if (!absl::SimpleAtoi(fields[1], &line.version) ||
      !absl::SimpleAtoi(fields[2], &line.key.n) ||
      !absl::SimpleAtoi(fields[3], &line.key.k) || !dtype.has_value() ||
      !absl::SimpleAtoi(fields[5], &bias) ||
      !absl::SimpleAtoi(fields[6], &residual) ||
      !absl::SimpleAtoi(fields[7], &line.key.alignment)) {
    return std::nullopt;
  }
  line.key.dtype = *dtype;
  line.key.bias = bias != 0;
  line.key.residual = residual != 0;
  for (size_t i = 0; i < line.algorithm.size(); ++i) {
    if (!absl::SimpleHexAtoi(fields[kOwnFields + i], &line.algorithm[i])) {
      return std::nullopt;
    }
  }
  return line;
}

}  // namespace

int AlignmentOf(uint64_t bits) {
  constexpr uint64_t kWidest = 16;
  bits |= kWidest;
  return static_cast<int>(bits & (~bits + 1));
}

// A tab in a device's name would shift the fields.
GemmPlans::GemmPlans(std::string device, int64_t version)
    : device_(std::move(device)), version_(version) {
  std::replace(device_.begin(), device_.end(), kSeparator, ' ');
}

std::optional<GemmAlgorithm> GemmPlans::Find(const GemmKey& key) const {
  const auto found = plans_.find(key);
  if (found == plans_.end()) return std::nullopt;
  return found->second;
}

void GemmPlans::Remember(const GemmKey& key, const GemmAlgorithm& algorithm) {
  plans_.emplace(key, algorithm);
}

absl::Status GemmPlans::Parse(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::optional<Line> line = ParseLine(lines[i]);
    if (!line.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("gemm plans: no plan in line: ", i + 1));
    }
    if (line->device == device_ && line->version == version_) {
      Remember(line->key, line->algorithm);
    }
  }
  return absl::OkStatus();
}

std::string GemmPlans::Format() const {
  std::string text;
  for (const auto& [key, algorithm] : plans_) {
    absl::StrAppendFormat(&text, "%s\t%d\t%d\t%d\t%s\t%d\t%d\t%d", device_,
                          version_, key.n, key.k,
                          absl::StrCat(std::string(Name(key.dtype)),
                                       std::string(key.fp8 ? kFp8 : "")),
                          key.bias ? 1 : 0, key.residual ? 1 : 0,
                          key.alignment);
    for (const uint64_t word : algorithm) {
      absl::StrAppendFormat(&text, "\t%x", word);
    }
    text += '\n';
  }
  return text;
}

}  // namespace tessera::kernels::cuda
