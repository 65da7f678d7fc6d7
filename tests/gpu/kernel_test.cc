#include "tests/gpu/kernel_test.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "kernels/device.h"

namespace tessera::kernels::cuda {
namespace {

// Rounds to nearest even at bit `drop` of an f32's pattern.
uint32_t RoundBits(uint32_t bits, int drop) {
  const uint32_t half = (1u << (drop - 1)) - 1 + ((bits >> drop) & 1);
  return (bits + half) >> drop;
}

// Converts a finite f32 to the nearest IEEE half, subnormals included.
uint16_t ToHalf(float value) {
  const auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000u : 0u);
  const float magnitude = std::fabs(value);
  // Counts in units of the smallest subnormal below the smallest normal.
  if (magnitude < 0x1p-14f) {
    return sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f));
  }
  const uint32_t bits =
      RoundBits(std::bit_cast<uint32_t>(magnitude) - (112u << 23), 13);
  return sign | static_cast<uint16_t>(std::min(bits, 0x7C00u));
}

// Returns the elements as bytes of `dtype`.
std::vector<uint8_t> Encode(const Tensor& values, DType dtype) {
  const int64_t count = values.shape().elements();
  std::vector<uint8_t> bytes(static_cast<size_t>(count * SizeOf(dtype)));
  for (int64_t i = 0; i < count; ++i) {
    const float value = values.f32()[i];
    if (dtype == DType::kF32) {
      std::memcpy(bytes.data() + 4 * i, &value, 4);
      continue;
    }
    const auto bits = dtype == DType::kF16
                          ? ToHalf(value)
                          : static_cast<uint16_t>(
                                RoundBits(std::bit_cast<uint32_t>(value), 16));
    std::memcpy(bytes.data() + 2 * i, &bits, 2);
  }
  return bytes;
}

// Reads elements of `dtype` back.
Tensor Decode(const std::vector<uint8_t>& bytes, const Shape& shape,
              DType dtype) {
  Tensor values(shape, DType::kF32);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    if (dtype == DType::kF32) {
      std::memcpy(values.f32() + i, bytes.data() + 4 * i, 4);
      continue;
    }
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + 2 * i, 2);
    values.f32()[i] =
        dtype == DType::kF16 ? HalfToFloat(bits) : Bf16ToFloat(bits);
  }
  return values;
}

}  // namespace

void KernelTest::SetUp() {
  const std::string reason = WhyNoDevice();
  if (!reason.empty()) GTEST_SKIP() << reason;
}

std::string NameOf(const testing::TestParamInfo<DType>& info) {
  return std::string(Name(info.param));
}

double Rounding(DType dtype) {
  return dtype == DType::kF32   ? 0x1p-24
         : dtype == DType::kF16 ? 0x1p-11
                                : 0x1p-8;
}

Tensor Rounded(const Tensor& values, DType dtype) {
  return Decode(Encode(values, dtype), values.shape(), dtype);
}

DeviceBuffer Upload(const Tensor& values, DType dtype) {
  const std::vector<uint8_t> bytes = Encode(values, dtype);
  return DeviceBuffer(bytes.data(), static_cast<int64_t>(bytes.size()));
}

Tensor Fetch(const DeviceBuffer& buffer, const Shape& shape, DType dtype) {
  std::vector<uint8_t> bytes(static_cast<size_t>(buffer.bytes()));
  buffer.Download(bytes.data());
  return Decode(bytes, shape, dtype);
}

void OnCpu(const std::function<void(Stream&)>& op) {
  const std::unique_ptr<Device> device = CreateCpuDevice(2).value();
  Stream stream(*device);
  op(stream);
  ASSERT_TRUE(stream.Synchronize().ok());
}

void ExpectClose(const Tensor& actual, const Tensor& expected,
                 double relative) {
  const int64_t count = expected.shape().elements();
  ASSERT_EQ(actual.shape().elements(), count);
  double square = 0;
  for (int64_t i = 0; i < count; ++i) {
    square += static_cast<double>(expected.f32()[i]) * expected.f32()[i];
  }
  const double typical = std::sqrt(square / static_cast<double>(count));
  for (int64_t i = 0; i < count; ++i) {
    const double want = expected.f32()[i], got = actual.f32()[i];
    ASSERT_LE(std::abs(got - want),
              relative * std::max(typical, std::abs(want)))
        << "element " << i << ": got " << got << ", want " << want;
  }
}

std::vector<uint8_t> BytesOf(int64_t bytes,
                             const std::function<cudaError_t(void*)>& launch) {
  const DeviceBuffer buffer(bytes);
  EXPECT_EQ(launch(buffer.data()), cudaSuccess);
  std::vector<uint8_t> result(static_cast<size_t>(bytes));
  buffer.Download(result.data());
  return result;
}

void ExpectRepeatable(int64_t bytes,
                      const std::function<cudaError_t(void*)>& launch) {
  const std::vector<uint8_t> first = BytesOf(bytes, launch);
  const int repeats = IsEmulation() ? 2 : 49;
  for (int i = 0; i < repeats; ++i) {
    ASSERT_EQ(BytesOf(bytes, launch), first) << "run " << i + 2;
  }
}

}  // namespace tessera::kernels::cuda
