#include "kernels/cuda/gemm_plans.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

using testing::HasSubstr;

constexpr char kDevice[] = "NVIDIA H200 NVL";
constexpr int64_t kVersion = 130100;

// Two plans that differ in every field.
const GemmKey kKey = {.n = 1280, .k = 320};
const GemmKey kOther = {.n = 640,
                        .k = 2560,
                        .dtype = DType::kBF16,
                        .bias = true,
                        .residual = true,
                        .alignment = 8};
const GemmAlgorithm kAlgorithm = {1, 2, 3, 4, 5, 6, 7, 8};
const GemmAlgorithm kWide = {~uint64_t{0}, 0, 1, 0, 0, 0, 0, 0xDEADBEEF};

TEST(GemmPlansTest, ReadsBackWhatItWrote) {
  GemmPlans written(kDevice, kVersion);
  written.Remember(kKey, kAlgorithm);
  written.Remember(kOther, kWide);
  GemmPlans read(kDevice, kVersion);

  ASSERT_TRUE(read.Parse(written.Format()).ok());

  EXPECT_EQ(read.Find(kKey), kAlgorithm);
  EXPECT_EQ(read.Find(kOther), kWide);
  EXPECT_EQ(read.Format(), written.Format());
}

// An algorithm means nothing to another version of the library, and its time
// nothing to another card.
TEST(GemmPlansTest, IgnoresPlansOfOtherDevicesAndVersions) {
  GemmPlans written(kDevice, kVersion);
  written.Remember(kKey, kAlgorithm);
  GemmPlans newer(kDevice, kVersion + 1), slower("NVIDIA L4", kVersion);

  ASSERT_TRUE(newer.Parse(written.Format()).ok());
  ASSERT_TRUE(slower.Parse(written.Format()).ok());

  EXPECT_EQ(newer.Find(kKey), std::nullopt);
  EXPECT_EQ(slower.Find(kKey), std::nullopt);
}

TEST(GemmPlansTest, FirstChoiceStays) {
  GemmPlans plans(kDevice, kVersion);
  plans.Remember(kKey, kAlgorithm);

  plans.Remember(kKey, kWide);

  EXPECT_EQ(plans.Find(kKey), kAlgorithm);
}

TEST(GemmPlansTest, RefusesLinesThatAreNoPlans) {
  GemmPlans good(kDevice, kVersion);
  good.Remember(kKey, kAlgorithm);
  std::string wrong_type = good.Format();
  wrong_type.replace(wrong_type.find("f16"), 3, "f64");

  for (const std::string& text :
       {good.Format() + "half a line\t1\n", good.Format() + wrong_type}) {
    GemmPlans plans(kDevice, kVersion);
    const absl::Status status = plans.Parse(text);

    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("line: 2"));
  }
}

TEST(GemmPlansTest, AlignmentIsTheLargestCommonPowerOfTwo) {
  EXPECT_EQ(AlignmentOf(0), 16);
  EXPECT_EQ(AlignmentOf(0x7F0000000100), 16);
  EXPECT_EQ(AlignmentOf(0x100 | 24), 8);
  EXPECT_EQ(AlignmentOf(0x100 | 2), 2);
  EXPECT_EQ(AlignmentOf(7), 1);
}

}  // namespace
}  // namespace tessera::kernels::cuda
