#include "kernels/tensor.h"

#include <cmath>

#include "gtest/gtest.h"

namespace tessera::kernels {
namespace {

TEST(ShapeTest, CountsRowsAndElements) {
  const Shape shape{2, 3, 4};

  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape.elements(), 24);
  EXPECT_EQ(shape.rows(), 6);
  EXPECT_EQ(shape[-1], 4);
  EXPECT_EQ(shape.ToString(), "[2,3,4]");
  EXPECT_EQ(Shape().elements(), 1);
}

TEST(ShapeTest, EqualExtentsAreEqual) {
  Shape shape{2, 3};
  shape.Set(-1, 5);

  EXPECT_EQ(shape, (Shape{2, 5}));
  EXPECT_NE(shape, (Shape{2, 5, 1}));
}

TEST(HalfTest, WidensEveryKindOfNumber) {
  EXPECT_EQ(HalfToFloat(0x0000), 0.0f);
  EXPECT_TRUE(std::signbit(HalfToFloat(0x8000)));
  EXPECT_EQ(HalfToFloat(0x3C00), 1.0f);
  EXPECT_EQ(HalfToFloat(0xC100), -2.5f);
  EXPECT_EQ(HalfToFloat(0x7BFF), 65504.0f);
  EXPECT_EQ(HalfToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(HalfToFloat(0x83FF), -1023 * 0x1p-24f);
  EXPECT_TRUE(std::isinf(HalfToFloat(0x7C00)));
  EXPECT_TRUE(std::isnan(HalfToFloat(0x7C01)));
}

TEST(Bf16Test, WidensByShifting) {
  EXPECT_EQ(Bf16ToFloat(0x3F80), 1.0f);
  EXPECT_EQ(Bf16ToFloat(0xC020), -2.5f);
}

TEST(TensorTest, StartsZeroedAndAligned) {
  const Tensor tensor({3, 5}, DType::kF32);

  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.f32()) % 64, 0u);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(tensor.f32()[i], 0.0f);
  EXPECT_EQ(tensor.bytes(), 60);
}

TEST(TensorTest, CloneIsIndependent) {
  const Tensor tensor({2}, DType::kF32);
  const Tensor clone = tensor.Clone();
  tensor.f32()[0] = 7;

  EXPECT_EQ(clone.f32()[0], 0.0f);
}

TEST(TensorViewTest, SliceAndReshapeShareMemory) {
  const Tensor tensor({4, 3}, DType::kF32);

  const TensorView slice = tensor.view().Slice(1, 3);
  const TensorView flat = tensor.view().Reshaped({12});

  EXPECT_EQ(slice.shape, (Shape{2, 3}));
  EXPECT_EQ(slice.f32(), tensor.f32() + 3);
  EXPECT_EQ(flat.f32(), tensor.f32());
}

TEST(ToF32Test, ConvertsEachFloatTypeExactly) {
  uint16_t halves[] = {0x3C00, 0xC100};
  uint16_t brains[] = {0x3F80, 0xC020};
  float singles[] = {1, -2.5f};
  for (const TensorView& view : {TensorView{halves, DType::kF16, {2}},
                                 TensorView{brains, DType::kBF16, {2}},
                                 TensorView{singles, DType::kF32, {2}}}) {
    const absl::StatusOr<Tensor> tensor = ToF32(view);

    ASSERT_TRUE(tensor.ok());
    EXPECT_EQ(tensor->f32()[0], 1.0f);
    EXPECT_EQ(tensor->f32()[1], -2.5f);
  }
}

TEST(ToF32Test, RefusesIntegers) {
  int32_t value = 1;

  EXPECT_EQ(ToF32({&value, DType::kI32, {1}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::kernels
