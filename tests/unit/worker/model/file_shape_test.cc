#include "worker/model/file_shape.h"

#include "gtest/gtest.h"

namespace tessera::model {
namespace {

using kernels::Shape;

TEST(FileShapeTest, KeepsEveryExtentInOrder) {
  EXPECT_EQ(ShapeOf({}), Shape{});
  EXPECT_EQ(ShapeOf({7}), Shape{7});
  EXPECT_EQ(ShapeOf({7, 6}), (Shape{7, 6}));
  EXPECT_EQ(ShapeOf({7, 6, 5}), (Shape{7, 6, 5}));
  EXPECT_EQ(ShapeOf({7, 6, 5, 4}), (Shape{7, 6, 5, 4}));
  EXPECT_EQ(ShapeOf({7, 6, 5, 4, 3}), (Shape{7, 6, 5, 4, 3}));
}

TEST(FileShapeTest, ScalarHasOneElementAndEmptyNone) {
  EXPECT_EQ(ShapeOf({}).elements(), 1);
  EXPECT_EQ(ShapeOf({0}).elements(), 0);
  EXPECT_EQ(ShapeOf({4, 0, 4}).elements(), 0);
}

TEST(FileShapeDeathTest, CallersMustCheckExtents) {
  EXPECT_DEATH(ShapeOf({1, 1, 1, 1, 1, 1}), "");
  EXPECT_DEATH(ShapeOf({-1}), "");
}

}  // namespace
}  // namespace tessera::model
