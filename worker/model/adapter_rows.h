// Which adapters add to which rows of a batch, by layer.
#ifndef TESSERA_WORKER_MODEL_ADAPTER_ROWS_H_
#define TESSERA_WORKER_MODEL_ADAPTER_ROWS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "kernels/ops/lora_gemm.h"
#include "worker/model/adapter_weights.h"
#include "worker/model/layer_table.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// Returns `adapters` without those of strength 0, in the order in which they
// are applied: a function of the set alone, whatever order it was given in.
std::vector<AdapterUse> InCanonicalOrder(std::vector<AdapterUse> adapters);

// Returns a key that two canonical sets share only if they add the same.
std::string AdapterSetKey(const std::vector<AdapterUse>& adapters);

// Says whether every layer of `weights` for `net` is in `table` with fitting
// shapes. INVALID_ARGUMENT names the layer.
absl::Status CheckAdapter(const AdapterWeights& weights, AdapterNet net,
                          const LayerTable& table);

// The adapters of every row of one batch, sorted for the layers of one net. A
// row's adapters come in canonical order, so that its bits do not depend on
// its neighbours. Thread-compatible.
class AdapterRows {
 public:
  // `rows[i]` are the adapters of row i in canonical order; each passed
  // CheckAdapter. Layers of the other net are ignored. Borrows the weights,
  // which must outlive this.
  AdapterRows(AdapterNet net, const LayerTable& table,
              const std::vector<std::vector<AdapterUse>>& rows);

  // Whether no row adds to any layer.
  bool empty() const { return empty_; }

  // Whether any row adds to `layer`.
  bool Has(int layer) const {
    return !by_layer_[static_cast<size_t>(layer)].empty();
  }

  // Returns the segments of `layer` in units of the `matrix_rows` rows that
  // the batch has there, a multiple of the batch's rows. Valid until the next
  // call. Allocates nothing.
  std::span<const kernels::LoraSegment> For(int layer, int64_t matrix_rows);

 private:
  void AddUse(AdapterNet net, const LayerTable& table, const AdapterUse& use,
              const std::vector<bool>& rows);

  int64_t batch_rows_ = 0;
  bool empty_ = true;
  std::vector<std::vector<kernels::LoraSegment>> by_layer_;  // in batch rows
  std::vector<kernels::LoraSegment> scaled_;  // room for any layer
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_ADAPTER_ROWS_H_
