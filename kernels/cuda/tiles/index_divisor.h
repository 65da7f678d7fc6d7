// Division of an index by a number fixed per launch.
#ifndef TESSERA_KERNELS_CUDA_TILES_INDEX_DIVISOR_H_
#define TESSERA_KERNELS_CUDA_TILES_INDEX_DIVISOR_H_

#include <cstdint>

namespace tessera::kernels::cuda {

// Divides by multiplication where dividend and divisor have 31 bits, as nearly
// all do; a GPU has no instruction for division. Exact (Granlund and
// Montgomery 1994, theorem 4.2, with the top bit unused). Construct it on the
// host, pass it by value.
class IndexDivisor {
 public:
  // Divides by one.
  constexpr IndexDivisor() = default;

  // Divides by `divisor`, at least 1.
  constexpr explicit IndexDivisor(int64_t divisor) : divisor_(divisor) {
    if (divisor > kMaxFast) return;
    while ((int64_t{1} << shift_) < divisor) ++shift_;
    const uint64_t power = uint64_t{1} << shift_;
    const uint64_t d = static_cast<uint64_t>(divisor);
    multiplier_ = static_cast<uint32_t>(((power - d) << 32) / d + 1);
  }

  // Returns n / divisor for n >= 0.
  constexpr int64_t Quotient(int64_t n) const {
    if (n > kMaxFast || divisor_ > kMaxFast) return n / divisor_;
    const uint32_t dividend = static_cast<uint32_t>(n);
    const uint32_t high = static_cast<uint32_t>(
        (static_cast<uint64_t>(dividend) * multiplier_) >> 32);
    return (high + dividend) >> shift_;
  }

  constexpr int64_t divisor() const { return divisor_; }

 private:
  static constexpr int64_t kMaxFast = 0x7FFFFFFF;

  int64_t divisor_ = 1;
  uint32_t multiplier_ = 1;
  uint32_t shift_ = 0;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_INDEX_DIVISOR_H_
