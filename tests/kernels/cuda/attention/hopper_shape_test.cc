#include "kernels/cuda/attention/hopper_shape.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "kernels/cuda/attention/hopper_maps.h"

namespace tessera::kernels::cuda {
namespace {

// Shared memory that a thread block may have on sm_90.
constexpr int kSharedLimit = 227 * 1024;

TEST(HopperShapeTest, RegistersAreTradedNotMade) {
  EXPECT_EQ(HopperShape::kProducerRegisters +
                HopperShape::kConsumers * HopperShape::kConsumerRegisters,
            (1 + HopperShape::kConsumers) * HopperShape::kEntryRegisters);
  for (const int registers :
       {HopperShape::kProducerRegisters, HopperShape::kConsumerRegisters,
        HopperShape::kEntryRegisters}) {
    // What setmaxnreg takes.
    EXPECT_EQ(registers % 8, 0);
    EXPECT_GE(registers, 24);
    EXPECT_LE(registers, 256);
  }
  // The compiler's own limit for a block of this size, rounded down to 8.
  EXPECT_EQ(65536 / HopperShape::kThreads / 8 * 8,
            HopperShape::kEntryRegisters);
}

TEST(HopperShapeTest, TilesStartWhereTheSwizzleDoes) {
  for (const HopperShape& shape : kHopperShapes) {
    EXPECT_LE(shape.shared_bytes(), kSharedLimit);
    int end = shape.q_bytes();
    for (int stage = 0; stage < shape.kStages;
         ++stage, end += shape.kv_bytes()) {
      EXPECT_EQ(shape.k_offset(stage), end);
    }
    for (int stage = 0; stage < shape.kStages;
         ++stage, end += shape.kv_bytes()) {
      EXPECT_EQ(shape.v_offset(stage), end);
    }
    EXPECT_EQ(shape.barriers_offset(), end);
    EXPECT_EQ(shape.q_bytes() % kSwizzleBytes, 0);
    EXPECT_EQ(shape.kv_bytes() % kSwizzleBytes, 0);
    // A consumer's 64 rows too.
    EXPECT_EQ(64 * kPageRowBytes % kSwizzleBytes, 0);
  }
}

// The self-attention of a UNet, q, k and v side by side.
AttentionParams Params(int64_t head_dim) {
  alignas(16) static uint16_t memory[64];
  const int64_t width = 8 * head_dim;
  return {.q = {memory, 3 * width, 0},
          .k = {memory, 3 * width, width},
          .v = {memory, 3 * width, 2 * width},
          .out = memory,
          .n = 2,
          .queries = 1000,
          .keys = 900,
          .heads = 8,
          .head_dim = head_dim};
}

TEST(HopperMapsTest, BarriersExpectTheBytesOfTheirBoxes) {
  for (const HopperShape& shape : kHopperShapes) {
    const AttentionParams params = Params(shape.head_dim);
    EXPECT_EQ(MapOf(params.q, params.queries, params, shape.kRows).box_bytes() *
                  shape.pages(),
              static_cast<uint32_t>(shape.q_bytes()));
    EXPECT_EQ(MapOf(params.k, params.keys, params, shape.kKeys).box_bytes() *
                  shape.pages(),
              static_cast<uint32_t>(shape.kv_bytes()));
  }
}

TEST(HopperMapsTest, ModelsOperandsMakeSoundMaps) {
  for (const int64_t head_dim : {40, 64, 72, 80, 128}) {
    const AttentionParams params = Params(head_dim);
    for (const AttentionOperand& operand : {params.q, params.k, params.v}) {
      EXPECT_EQ(ProblemOf(MapOf(operand, params.keys, params, 128)), "");
    }
  }
}

TEST(HopperMapsTest, NeighboursAreOutside) {
  const AttentionParams params = Params(40);

  const TensorMapSpec map = MapOf(params.v, params.keys, params, 128);

  EXPECT_EQ(map.address, static_cast<const uint16_t*>(params.v.data) + 640);
  EXPECT_EQ(map.sizes, (std::array<uint64_t, 5>{40, 8, 900, 2, 0}));
  EXPECT_EQ(map.stride_bytes,
            (std::array<uint64_t, 4>{80, 960 * 2, 960 * 900 * 2, 0}));
  EXPECT_EQ(map.box, (std::array<uint32_t, 5>{64, 1, 128, 1, 0}));
}

}  // namespace
}  // namespace tessera::kernels::cuda
