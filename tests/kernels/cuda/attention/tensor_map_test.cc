#include "kernels/cuda/tiles/tensor_map.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

using testing::HasSubstr;

// The rules are those of cuTensorMapEncodeTiled's comment in cuda.h.
alignas(16) char memory[64];

// A map that breaks none of them.
TensorMapSpec Spec() {
  return {.address = memory,
          .element_bytes = 2,
          .rank = 4,
          .sizes = {64, 8, 4096, 2},
          .stride_bytes = {128, 1024, 4194304},
          .box = {64, 1, 128, 1},
          .swizzle = TensorSwizzle::k128};
}

// Returns the problem of a changed map.
template <typename Change>
std::string_view Problem(Change change) {
  TensorMapSpec spec = Spec();
  change(spec);
  return ProblemOf(spec);
}

TEST(TensorMapTest, AcceptsWhatTheDriverDoes) {
  EXPECT_EQ(ProblemOf(Spec()), "");
  EXPECT_EQ(Problem([](auto& s) { s.sizes[0] = uint64_t{1} << 32; }), "");
  EXPECT_EQ(Problem([](auto& s) { s.box[2] = 256; }), "");
  EXPECT_EQ(Problem([](auto& s) { s.element_strides[1] = 8; }), "");
  EXPECT_EQ(Problem([](auto& s) {
              s.swizzle = TensorSwizzle::kNone;
              s.box[0] = 256;
            }),
            "");
  EXPECT_EQ(Problem([](auto& s) { s.rank = 1; }), "");
}

TEST(TensorMapTest, RefusesRanks) {
  EXPECT_THAT(Problem([](auto& s) { s.rank = 0; }), HasSubstr("rank"));
  EXPECT_THAT(Problem([](auto& s) { s.rank = 6; }), HasSubstr("rank"));
}

TEST(TensorMapTest, RefusesAddresses) {
  EXPECT_THAT(Problem([](auto& s) { s.address = nullptr; }),
              HasSubstr("address"));
  EXPECT_THAT(Problem([](auto& s) { s.address = memory + 8; }),
              HasSubstr("address"));
}

TEST(TensorMapTest, RefusesElements) {
  EXPECT_THAT(Problem([](auto& s) { s.element_bytes = 3; }),
              HasSubstr("element"));
}

TEST(TensorMapTest, RefusesSizes) {
  EXPECT_THAT(Problem([](auto& s) { s.sizes[3] = 0; }), HasSubstr("size"));
  EXPECT_THAT(Problem([](auto& s) { s.sizes[3] = (uint64_t{1} << 32) + 1; }),
              HasSubstr("size"));
}

TEST(TensorMapTest, RefusesStrides) {
  EXPECT_THAT(Problem([](auto& s) { s.stride_bytes[0] = 72; }),
              HasSubstr("multiple of 16"));
  EXPECT_THAT(Problem([](auto& s) { s.stride_bytes[2] = 0; }),
              HasSubstr("multiple of 16"));
  EXPECT_THAT(Problem([](auto& s) { s.stride_bytes[2] = uint64_t{1} << 40; }),
              HasSubstr("2^40"));
  EXPECT_THAT(Problem([](auto& s) { s.element_strides[0] = 0; }),
              HasSubstr("element stride"));
  EXPECT_THAT(Problem([](auto& s) { s.element_strides[2] = 9; }),
              HasSubstr("element stride"));
}

TEST(TensorMapTest, RefusesBoxes) {
  EXPECT_THAT(Problem([](auto& s) { s.box[2] = 257; }), HasSubstr("box"));
  EXPECT_THAT(Problem([](auto& s) { s.box[1] = 0; }), HasSubstr("box"));
  EXPECT_THAT(Problem([](auto& s) { s.box[0] = 60; }),
              HasSubstr("multiple of 16"));
}

TEST(TensorMapTest, RefusesRowsBeyondTheSwizzle) {
  EXPECT_THAT(Problem([](auto& s) { s.box[0] = 72; }), HasSubstr("swizzle"));
  EXPECT_THAT(Problem([](auto& s) { s.swizzle = TensorSwizzle::k64; }),
              HasSubstr("swizzle"));
  EXPECT_EQ(Problem([](auto& s) {
              s.swizzle = TensorSwizzle::k32;
              s.box[0] = 16;
            }),
            "");
}

TEST(TensorMapTest, CountsTheBytesOfABox) {
  EXPECT_EQ(Spec().box_bytes(), 64u * 128 * 2);
}

}  // namespace
}  // namespace tessera::kernels::cuda
