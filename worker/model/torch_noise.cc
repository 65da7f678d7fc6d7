#include "worker/model/torch_noise.h"

#include <cmath>
#include <numbers>
#include <random>

namespace tessera::model {
namespace {

// A block of Box-Muller: 8 cosines from the first half, 8 sines from the
// second.
constexpr int64_t kBlock = 16;

// Draws a uniform in [0, 1) with 24 bits, all that a float holds.
float Uniform24(std::mt19937& engine) {
  return static_cast<float>(engine() & 0xffffff) * 0x1p-24f;
}

// Draws a uniform in [0, 1) with 53 bits from two words.
double Uniform53(std::mt19937& engine) {
  const uint64_t high = engine();  // torch joins the draws in this order
  const uint64_t bits = (high << 32 | engine()) & ((uint64_t{1} << 53) - 1);
  return static_cast<double>(bits) * 0x1p-53;
}

// Turns 16 uniforms into 16 normals in place.
void BoxMuller16(float* values) {
  for (int64_t i = 0; i < kBlock / 2; ++i) {
    const float u1 = 1.0f - values[i];  // (0, 1], for the logarithm
    // Pairs i with i + 8, as ATen's normal_fill does.
    const float u2 = values[i + kBlock / 2];
    const float radius = std::sqrt(-2.0f * std::log(u1));
    const float theta = 2.0f * std::numbers::pi_v<float> * u2;
    values[i] = radius * std::cos(theta);
    values[i + kBlock / 2] = radius * std::sin(theta);
  }
}

// Below one block torch draws pairs in double and keeps the second of a pair.
std::vector<float> FewNormals(std::mt19937& engine, int64_t count) {
  std::vector<float> values;
  while (static_cast<int64_t>(values.size()) < count) {
    const double u1 = Uniform53(engine);
    const double u2 = Uniform53(engine);
    const double radius = std::sqrt(-2.0 * std::log1p(-u2));
    const double theta = 2.0 * std::numbers::pi * u1;
    values.push_back(static_cast<float>(radius * std::cos(theta)));
    values.push_back(static_cast<float>(radius * std::sin(theta)));
  }
  values.resize(static_cast<size_t>(count));
  return values;
}

}  // namespace

std::vector<float> TorchNormal(uint64_t seed, int64_t count) {
  // Seeds with the low 32 bits, as torch's CPU generator does.
  std::mt19937 engine(static_cast<uint32_t>(seed));
  // Follows torch, which draws few numbers in another way.
  if (count < kBlock) return FewNormals(engine, count);
  std::vector<float> values(static_cast<size_t>(count));
  // Draws all uniforms first, then turns them: torch's order of the stream.
  for (float& value : values) value = Uniform24(engine);
  for (int64_t i = 0; i + kBlock <= count; i += kBlock) {
    BoxMuller16(values.data() + i);
  }
  if (count % kBlock != 0) {
    // The last 16 values are drawn anew.
    float* const tail = values.data() + count - kBlock;
    for (int64_t i = 0; i < kBlock; ++i) tail[i] = Uniform24(engine);
    BoxMuller16(tail);
  }
  return values;
}

}  // namespace tessera::model
