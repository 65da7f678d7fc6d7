// Which algorithm each linear layer uses, kept across runs in a text file.
#ifndef TESSERA_KERNELS_CUDA_GEMM_PLANS_H_
#define TESSERA_KERNELS_CUDA_GEMM_PLANS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// What fixes a plan. The number of rows is no part of it: one algorithm serves
// every batch, so that the batch does not change a row's bits.
struct GemmKey {
  int64_t n = 0;
  int64_t k = 0;
  DType dtype = DType::kF16;
  bool bias = false;      // added by the library's epilogue
  bool residual = false;  // added as C
  bool fp8 = false;       // `a` and weights are E4M3, with scales
  int alignment = 16;     // of all operands and pitches in bytes, at most 16

  auto operator<=>(const GemmKey&) const = default;
};

// Returns the largest power of two, at most 16, that divides `bits`, which is
// the bitwise or of addresses and pitches in bytes.
int AlignmentOf(uint64_t bits);

// The library's own description of an algorithm, opaque but stable for one
// version of the library.
using GemmAlgorithm = std::array<uint64_t, 8>;

// The plans of one device and version of the library. Thread-compatible.
class GemmPlans {
 public:
  // `device` is the card's name, `version` the library's.
  GemmPlans(std::string device, int64_t version);

  // Returns the plan of a layer, if there is one.
  std::optional<GemmAlgorithm> Find(const GemmKey& key) const;

  // Remembers a plan; the first one for a key stays.
  void Remember(const GemmKey& key, const GemmAlgorithm& algorithm);

  // Adds the plans of `text`, a file's content, that are for this device and
  // version; others stay where they are. Errors: INVALID_ARGUMENT with the
  // number of the first line that is no plan.
  absl::Status Parse(const std::string& text);

  // Returns this device's and version's plans as lines of a file.
  std::string Format() const;

 private:
  std::string device_;
  int64_t version_;
  std::map<GemmKey, GemmAlgorithm> plans_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_GEMM_PLANS_H_
