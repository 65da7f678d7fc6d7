// The whole engine on a device: the goldens, and that neighbours, repeats and
// recorded passes leave a picture's bits alone.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/device.h"
#include "tests/golden/golden_case.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {
namespace {

// What rounding activations and weights to 16 bits may cost a picture.
constexpr double kDecibels = 35;
// Runs of one picture that must agree: a missing fence shows rarely.
constexpr int kRepeats = 10;

class EngineTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    auto device = kernels::OpenDevice("cuda:0", 0);
    if (!device.ok()) {
      why_not_ = device.status().ToString();
      return;
    }
    device_ = device->release();
    auto model = TextToImage::Load(GoldenModel(), *device_);
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = model->release();
  }
  static void TearDownTestSuite() {
    delete model_;
    delete device_;
  }

  void SetUp() override {
    if (device_ == nullptr) GTEST_SKIP() << why_not_;
    ASSERT_NE(model_, nullptr);
  }

  static std::vector<uint8_t> Alone(const std::string& folder) {
    return MakeGolden(*model_, ReadGoldenCase(folder, *device_), nullptr);
  }

  static inline std::string why_not_;
  static inline kernels::Device* device_ = nullptr;
  static inline TextToImage* model_ = nullptr;
};

TEST_P(EngineTest, AgreesWithDiffusers) {
  EXPECT_GE(Decibels(Alone(GetParam()), ReadPng(GetParam() + "/image.png")),
            kDecibels);
}

INSTANTIATE_TEST_SUITE_P(EmojiSd, EngineTest,
                         ::testing::ValuesIn(GoldenCases()),
                         [](const auto& info) {
                           return GoldenName(info.param);
                         });

using EngineBatchTest = EngineTest;

// Repeats also compare passes that ran op by op with those that were replayed.
TEST_P(EngineBatchTest, RepeatsGiveTheSameBits) {
  const std::vector<uint8_t> first = Alone(GetParam());
  for (int i = 1; i < kRepeats; ++i) ASSERT_EQ(Alone(GetParam()), first);
}

TEST_P(EngineBatchTest, PictureDoesNotDependOnItsNeighbours) {
  const ImageRequest own = ReadGoldenCase(GetParam(), *device_);
  std::vector<ImageRequest> requests = {own};
  // Others of its size, of every number of steps and adapters.
  for (const std::string& folder : GoldenCases()) {
    ImageRequest other = ReadGoldenCase(folder, *device_);
    if (folder == GetParam() || other.width != own.width ||
        other.height != own.height) {
      continue;
    }
    requests.push_back(std::move(other));
  }
  DenoiseBatch batch(*model_, {.capacity = 5});
  std::map<int64_t, std::vector<uint8_t>> together;

  size_t next = 0;
  while (next < requests.size() || batch.size() > 0) {
    while (next < requests.size() && batch.CanAdmit(requests[next])) {
      const absl::Status admitted =
          batch.Admit(static_cast<int64_t>(next), requests[next]);
      ASSERT_TRUE(admitted.ok()) << admitted;
      ++next;
    }
    for (const Finished& one : batch.Step()) {
      ASSERT_TRUE(one.image.ok()) << one.image.status();
      together[one.ticket] = one.image->rgb;
    }
  }

  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(together[static_cast<int64_t>(i)],
              MakeGolden(*model_, requests[i], nullptr))
        << "picture " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(First, EngineBatchTest,
                         ::testing::Values(GoldenCases().front()),
                         [](const auto& info) {
                           return GoldenName(info.param);
                         });

}  // namespace
}  // namespace tessera::model
