// Counter-based normal numbers: element i of a draw is a function of the seed,
// the draw and i, on every device alike.
#ifndef TESSERA_KERNELS_PHILOX_H_
#define TESSERA_KERNELS_PHILOX_H_

#include <cmath>
#include <cstdint>

namespace tessera::kernels {

// Four random words.
struct PhiloxWords {
  uint32_t words[4];

  friend constexpr bool operator==(const PhiloxWords&,
                                   const PhiloxWords&) = default;
};

// Returns the words of a counter and a key after ten rounds (Salmon et al.
// 2011, "Parallel random numbers: as easy as 1, 2, 3", Philox4x32-10).
constexpr PhiloxWords Philox(PhiloxWords counter, uint32_t key0,
                             uint32_t key1) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  uint32_t* const c = counter.words;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * c[0];
    const uint64_t product1 = kMultiplier1 * c[2];
    const uint32_t high0 = static_cast<uint32_t>(product0 >> 32);
    const uint32_t high1 = static_cast<uint32_t>(product1 >> 32);
    c[0] = high1 ^ c[1] ^ key0;
    c[1] = static_cast<uint32_t>(product1);
    c[2] = high0 ^ c[3] ^ key1;
    c[3] = static_cast<uint32_t>(product0);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

// Two numbers in (0, 1).
struct PhiloxUniforms {
  double u;
  double v;
};

// Returns the first two words of element `index` of draw `draw` (0, 1, ...) as
// numbers; a half is added, so that no logarithm is of zero.
constexpr PhiloxUniforms DrawUniforms(uint64_t seed, uint32_t draw,
                                      uint32_t index) {
  const PhiloxWords random =
      Philox({{draw, 0, index, 0}}, static_cast<uint32_t>(seed),
             static_cast<uint32_t>(seed >> 32));
  return {(random.words[0] + 0.5) * 0x1p-32, (random.words[1] + 0.5) * 0x1p-32};
}

// Returns element `index` of the normal numbers that draw `draw` of torch.randn
// gives on a CUDA device for `seed`, by Box-Muller. In double, so that the
// libraries of all devices round to the same f32; torch itself works in f32
// and differs in the last digits.
inline float PhiloxNormal(uint64_t seed, uint32_t draw, uint32_t index) {
  constexpr double kTwoPi = 6.283185307179586476925;
  const PhiloxUniforms uniforms = DrawUniforms(seed, draw, index);
  return static_cast<float>(std::sqrt(-2.0 * std::log(uniforms.u)) *
                            std::sin(kTwoPi * uniforms.v));
}

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_PHILOX_H_
