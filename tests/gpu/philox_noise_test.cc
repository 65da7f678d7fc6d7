#include "kernels/cuda/philox_noise.h"

#include "kernels/philox.h"
#include "tests/gpu/kernel_test.h"
#include "tests/kernels/op_test.h"

namespace tessera::kernels {
namespace {

// The known answers that come with the authors' Random123 library.
TEST(PhiloxTest, HasTheAuthorsWords) {
  constexpr uint32_t kOnes = 0xFFFFFFFF;

  EXPECT_EQ(Philox({{0, 0, 0, 0}}, 0, 0),
            (PhiloxWords{{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}}));
  EXPECT_EQ(Philox({{kOnes, kOnes, kOnes, kOnes}}, kOnes, kOnes),
            (PhiloxWords{{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}}));
  EXPECT_EQ(Philox({{0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}},
                   0xA4093822, 0x299F31D0),
            (PhiloxWords{{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}}));
}

// torch.manual_seed(0); torch.randn(3, 4, device="cuda"), as stable-diffusion-
// webui's modules/rng_philox.py states it.
TEST(PhiloxTest, HasTorchsNormalNumbers) {
  const float expected[] = {-0.92466259f, -0.42534415f, -2.6438457f,
                            0.14518388f,  -0.12086647f, -0.57972564f,
                            -0.62285122f, -0.32838709f, -1.07454231f,
                            -0.36314407f, -1.67105067f, 2.26550497f};
  for (uint32_t i = 0; i < 12; ++i) {
    EXPECT_NEAR(PhiloxNormal(0, 0, i), expected[i], 2e-7) << i;
  }
}

}  // namespace

namespace cuda {
namespace {

class PhiloxNoiseTest : public KernelTest {};

TEST_F(PhiloxNoiseTest, HasTheHostsBits) {
  constexpr uint64_t kSeed = 0x123456789ABCDEF0;
  constexpr int64_t kCount = 4 * 64 * 64 + 3;
  const DeviceBuffer out(kCount * 4);

  ASSERT_EQ(LaunchPhiloxNoise({.seed = kSeed,
                               .draw = 2,
                               .out = static_cast<float*>(out.data()),
                               .elements = kCount},
                              nullptr),
            cudaSuccess);

  Tensor expected({kCount}, DType::kF32);
  for (int64_t i = 0; i < kCount; ++i) {
    expected.f32()[i] = PhiloxNormal(kSeed, 2, static_cast<uint32_t>(i));
  }
  ExpectSameBits(Fetch(out, {kCount}, DType::kF32).view(), expected.view());
}

}  // namespace
}  // namespace cuda
}  // namespace tessera::kernels
