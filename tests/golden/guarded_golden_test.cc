// Makes the golden cases on a device whose memory only ops can see.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/device.h"
#include "tests/golden/golden_case.h"
#include "tests/support/guarded_device.h"

namespace tessera::model {
namespace {

using kernels::DType;

// What rounding activations and weights to 16 bits may cost a picture.
constexpr double kHalfDecibels = 35;

// Returns short cases of both samplers, and one with adapters of both nets:
// every op repacks its weights here, which takes several times the CPU's step.
std::vector<std::string> Cases() {
  const std::string first = GoldenCases().front();
  const std::string folder = first.substr(0, first.rfind('/') + 1);
  return {folder + "12-one-step", folder + "14-euler-5",
          folder + "22-lora-pixel-text"};
}

// A device and the demo model on it.
struct Placed {
  explicit Placed(std::unique_ptr<kernels::Device> on)
      : device(std::move(on)),
        model(TextToImage::Load(GoldenModel(), *device).value()) {}

  std::unique_ptr<kernels::Device> device;
  std::unique_ptr<TextToImage> model;
};

class GuardedGoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    cpu_ = new Placed(kernels::CreateCpuDevice(1).value());
    guarded_ = new Placed(MakeGuardedDevice({}));
    half_ = new Placed(MakeGuardedDevice({.compute_dtype = DType::kF16}));
  }
  static void TearDownTestSuite() {
    delete half_;
    delete guarded_;
    delete cpu_;
  }

  static std::vector<uint8_t> Make(const Placed& placed,
                                   GoldenRecorder* recorder) {
    return MakeGolden(*placed.model, ReadGoldenCase(GetParam(), *placed.device),
                      recorder);
  }

  static inline Placed* cpu_ = nullptr;
  static inline Placed* guarded_ = nullptr;
  static inline Placed* half_ = nullptr;
};

TEST_P(GuardedGoldenTest, HasTheBitsOfTheCpu) {
  GoldenRecorder expected, actual;

  const std::vector<uint8_t> cpu = Make(*cpu_, &expected);
  const std::vector<uint8_t> guarded = Make(*guarded_, &actual);

  EXPECT_FALSE(cpu.empty());
  EXPECT_EQ(guarded, cpu);
  EXPECT_EQ(actual.text, expected.text);
  EXPECT_EQ(actual.first_prediction, expected.first_prediction);
  EXPECT_EQ(actual.latents, expected.latents);
}

TEST_P(GuardedGoldenTest, SurvivesSixteenBits) {
  EXPECT_GE(Decibels(Make(*half_, nullptr), ReadPng(GetParam() + "/image.png")),
            kHalfDecibels);
}

INSTANTIATE_TEST_SUITE_P(EmojiSd, GuardedGoldenTest,
                         ::testing::ValuesIn(Cases()), [](const auto& info) {
                           return GoldenName(info.param);
                         });

}  // namespace
}  // namespace tessera::model
