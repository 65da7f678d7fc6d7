#include "worker/model/request_limits.h"

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::model {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::StartsWith;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Returns a request of which everything is allowed.
ImageRequest Good() {
  ImageRequest request;
  request.width = 512;
  request.height = 512;
  return request;
}

// Returns what is said of a size.
absl::Status CheckSides(int width, int height, int multiple) {
  ImageRequest request = Good();
  request.width = width;
  request.height = height;
  return CheckRanges(request, multiple);
}

TEST(RequestLimitsTest, TakesTheDefaultsOfARequest) {
  EXPECT_THAT(CheckRanges(Good(), 8), IsOk());
}

TEST(RequestLimitsTest, SidesAreMultiplesInRange) {
  for (const int good : {64, 72, 512, 1000, 4088, 4096}) {
    EXPECT_THAT(CheckSides(good, 512, 8), IsOk()) << good;
    EXPECT_THAT(CheckSides(512, good, 8), IsOk()) << good;
  }
  for (const int bad :
       {0, -64, 8, 56, 63, 65, 68, 511, 4097, 4104,
        std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
    const std::string error =
        absl::StrCat(": expected a multiple of 8 from 64 to 4096, got ", bad);
    EXPECT_THAT(CheckSides(bad, 512, 8), StatusIs(kInvalid, "width" + error));
    EXPECT_THAT(CheckSides(512, bad, 8), StatusIs(kInvalid, "height" + error));
  }
}

TEST(RequestLimitsTest, SidesFitTheModelAsWell) {
  EXPECT_THAT(CheckSides(576, 64, 64), IsOk());
  EXPECT_THAT(CheckSides(72, 512, 64),
              StatusIs(kInvalid,
                       "width: expected a multiple of 64 from 64 to "
                       "4096, got 72"));
  // A model of one latent a pixel takes multiples of 8 all the same.
  EXPECT_THAT(CheckSides(72, 72, 1), IsOk());
  EXPECT_THAT(
      CheckSides(65, 72, 1),
      StatusIs(kInvalid, StartsWith("width: expected a multiple of 8 ")));
  EXPECT_THAT(CheckSides(96, 96, 12), IsOk());
  EXPECT_THAT(
      CheckSides(80, 80, 12),
      StatusIs(kInvalid, StartsWith("width: expected a multiple of 24 ")));
}

TEST(RequestLimitsTest, StepsAreOneToAThousand) {
  ImageRequest request = Good();
  for (const int good : {1, 50, 1000}) {
    request.num_inference_steps = good;
    EXPECT_THAT(CheckRanges(request, 8), IsOk()) << good;
  }
  for (const int bad : {0, -1, 1001, std::numeric_limits<int>::max()}) {
    request.num_inference_steps = bad;
    EXPECT_THAT(
        CheckRanges(request, 8),
        StatusIs(kInvalid,
                 absl::StrCat("num_inference_steps: expected 1 to 1000, got ",
                              bad)));
  }
}

TEST(RequestLimitsTest, GuidanceIsFinite) {
  ImageRequest request = Good();
  for (const float good : {0.0f, -0.0f, 0.5f, 1.0f, 7.5f, 100.0f}) {
    request.guidance_scale = good;
    EXPECT_THAT(CheckRanges(request, 8), IsOk()) << good;
  }
  for (const float bad : {-0.5f, 100.5f, 1e30f, kInfinity, -kInfinity, kNan}) {
    request.guidance_scale = bad;
    EXPECT_THAT(
        CheckRanges(request, 8),
        StatusIs(kInvalid,
                 absl::StrCat("guidance_scale: expected 0 to 100, got ", bad)));
  }
}

TEST(RequestLimitsTest, StrengthsOfAdaptersAreFinite) {
  ImageRequest request = Good();
  const auto weights = std::make_shared<const AdapterWeights>();
  for (const float good : {0.0f, -3.0f, 1e30f}) {
    request.adapters = {{weights, 1.0f}, {weights, good}};
    EXPECT_THAT(CheckRanges(request, 8), IsOk()) << good;
  }
  for (const float bad : {kInfinity, -kInfinity, kNan}) {
    request.adapters = {{weights, 1.0f}, {weights, bad}};
    EXPECT_THAT(
        CheckRanges(request, 8),
        StatusIs(kInvalid,
                 absl::StrCat("loras: expected a finite scale, got ", bad)));
  }
}

}  // namespace
}  // namespace tessera::model
