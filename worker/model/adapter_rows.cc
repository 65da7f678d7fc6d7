#include "worker/model/adapter_rows.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::model {
namespace {

using kernels::LoraSegment;

// Orders uses by what they add: the file's digest, then the strength. Names do
// not count, so a LoRA under two names is one.
bool Before(const AdapterUse& a, const AdapterUse& b) {
  if (a.weights->digest != b.weights->digest) {
    return a.weights->digest < b.weights->digest;
  }
  return a.scale < b.scale;
}

// Says whether two uses add the same, bit for bit.
bool Same(const AdapterUse& a, const AdapterUse& b) {
  return !Before(a, b) && !Before(b, a);
}

// Refuses a layer that the model lacks.
absl::Status NoSuchLayer(const AdapterWeights& weights,
                         const std::string& layer) {
  return absl::InvalidArgumentError(
      absl::StrCat("the model has no such layer for the adapter ", weights.name,
                   ": ", layer));
}

// Refuses a change of a bias that the layer lacks, or of another size.
absl::Status CheckChange(const AdapterWeights& weights,
                         const LayerChange& change, const LayerInfo& info,
                         const LayerTable& table) {
  const bool bias = change.tensor == LayerTensor::kBias;
  if (bias && table.weights()[static_cast<size_t>(info.slot)].bias == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model's layer has no bias for the adapter ",
                     weights.name, ": ", change.name));
  }
  const int64_t inputs =
      bias || info.is_norm() ? 1 : info.inputs * info.kernel * info.kernel;
  if (change.change->elements() != info.outputs * inputs) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape of the adapter ", weights.name,
                     " does not fit the model's layer: ", change.name, ": ",
                     change.change->elements(), " elements, the model has ",
                     info.outputs * inputs));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<AdapterUse> InCanonicalOrder(std::vector<AdapterUse> adapters) {
  // Drops strength 0, so that it leaves the very bits of a picture without the
  // adapter.
  adapters.erase(
      std::remove_if(adapters.begin(), adapters.end(),
                     [](const AdapterUse& use) { return use.scale == 0; }),
      adapters.end());
  std::stable_sort(adapters.begin(), adapters.end(), Before);
  return adapters;
}

// Writes the strength by its bits: decimal digits could join two that differ.
std::string AdapterSetKey(const std::vector<AdapterUse>& adapters) {
  std::string key;
  for (const AdapterUse& use : adapters) {
    absl::StrAppend(&key, use.weights->digest, ":",
                    std::bit_cast<uint32_t>(use.scale), ";");
  }
  return key;
}

// Looks for the layers of one net only; the caller checks both nets in turn.
absl::Status CheckAdapter(const AdapterWeights& weights, AdapterNet net,
                          const LayerTable& table) {
  for (const AdapterLayer& layer : weights.layers) {
    if (layer.net != net) continue;
    const int number = table.Find(layer.name);
    if (number < 0 && table.partial()) continue;
    if (number < 0) return NoSuchLayer(weights, layer.name);
    const LayerInfo& info = table.layers()[static_cast<size_t>(number)];
    // Fits when up [outputs, rank] and down [rank, inputs, kernel, kernel] meet
    // in the rank and multiply to the layer's weights.
    const bool fits = layer.up.n() == info.outputs &&
                      layer.up.k() == layer.down.n() &&
                      layer.down.input_channels() == info.inputs &&
                      layer.down.kernel_h() == info.kernel &&
                      layer.down.kernel_w() == info.kernel;
    if (!fits) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape of the adapter ", weights.name,
                       " does not fit the model's layer: ", layer.name, ": ",
                       layer.up.n(), "x", layer.down.input_channels(),
                       ", the model has ", info.outputs, "x", info.inputs));
    }
  }
  for (const LayerChange& change : weights.changes) {
    if (change.net != net) continue;
    const int number = table.Find(change.name);
    if (number < 0 && table.partial()) continue;
    if (number < 0) return NoSuchLayer(weights, change.name);
    const LayerInfo& info = table.layers()[static_cast<size_t>(number)];
    RETURN_IF_ERROR(CheckChange(weights, change, info, table));
  }
  return absl::OkStatus();
}

AdapterRows::AdapterRows(AdapterNet net, const LayerTable& table,
                         const std::vector<std::vector<AdapterUse>>& rows)
    : batch_rows_(static_cast<int64_t>(rows.size())),
      by_layer_(table.layers().size()) {
  // A set may hold one use twice: the k-th of its kind is a use of its own.
  std::vector<std::pair<AdapterUse, int>> uses;
  for (const std::vector<AdapterUse>& row : rows) {
    int copies = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      // Counts within a row: canonical order puts equal uses side by side.
      copies = i > 0 && Same(row[i - 1], row[i]) ? copies + 1 : 0;
      uses.push_back({row[i], copies});
    }
  }
  const auto before = [](const auto& a, const auto& b) {
    if (!Same(a.first, b.first)) return Before(a.first, b.first);
    return a.second < b.second;
  };
  // Brings the uses of all rows into one canonical order, each once; a row's
  // own uses then come in the order that they have when it is alone.
  std::stable_sort(uses.begin(), uses.end(), before);
  uses.erase(std::unique(uses.begin(), uses.end(),
                         [&](const auto& a, const auto& b) {
                           return !before(a, b) && !before(b, a);
                         }),
             uses.end());
  for (const auto& [use, copy] : uses) {
    std::vector<bool> selected;
    for (const std::vector<AdapterUse>& row : rows) {
      const auto same = std::count_if(row.begin(), row.end(),
                                      [&, &use = use](const AdapterUse& other) {
                                        return Same(use, other);
                                      });
      // Selects the rows that hold this use more than `copy` times.
      selected.push_back(same > copy);
    }
    AddUse(net, table, use, selected);
  }
  // Reserves room for the layer with the most segments, so that For allocates
  // nothing.
  size_t most = 0;
  for (const auto& segments : by_layer_) most = std::max(most, segments.size());
  scaled_.resize(most);
}

// Adds one use to every layer of the net that it names: a segment for each run
// of neighbouring rows among `rows`, one flag a batch row.
void AdapterRows::AddUse(AdapterNet net, const LayerTable& table,
                         const AdapterUse& use, const std::vector<bool>& rows) {
  for (const AdapterLayer& layer : use.weights->layers) {
    if (layer.net != net) continue;
    const int number = table.Find(layer.name);
    if (number < 0) continue;  // elsewhere: the net is a part of one
    auto& segments = by_layer_[static_cast<size_t>(number)];
    empty_ = false;
    for (size_t row = 0; row < rows.size(); ++row) {
      if (!rows[row]) continue;
      // Extends the segment of the row before, which this call has just added.
      if (row > 0 && rows[row - 1]) {
        ++segments.back().row_end;
        continue;
      }
      segments.push_back({.row_begin = static_cast<int64_t>(row),
                          .row_end = static_cast<int64_t>(row) + 1,
                          .down = &layer.down,
                          .up = &layer.up,
                          .scale = use.scale * layer.scale});
    }
  }
}

std::span<const LoraSegment> AdapterRows::For(int layer, int64_t matrix_rows) {
  // Scales from batch rows to matrix rows: 1 for pictures, tokens or pixels a
  // row for matrices.
  const int64_t factor = matrix_rows / batch_rows_;
  const auto& segments = by_layer_[static_cast<size_t>(layer)];
  for (size_t i = 0; i < segments.size(); ++i) {
    scaled_[i] = segments[i];
    scaled_[i].row_begin *= factor;
    scaled_[i].row_end *= factor;
  }
  return {scaled_.data(), segments.size()};
}

}  // namespace tessera::model
