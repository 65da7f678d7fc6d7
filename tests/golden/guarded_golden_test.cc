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

// Returns a few cases: the memory's protection changes with every op, which
// takes long.
std::vector<std::string> FewCases() {
  constexpr size_t kEach = 7;
  const std::vector<std::string> all = GoldenCases();
  std::vector<std::string> few;
  for (size_t i = 0; i < all.size(); i += kEach) few.push_back(all[i]);
  return few;
}

INSTANTIATE_TEST_SUITE_P(EmojiSd, GuardedGoldenTest,
                         ::testing::ValuesIn(FewCases()),
                         [](const auto& info) {
                           return GoldenName(info.param);
                         });

}  // namespace
}  // namespace tessera::model
