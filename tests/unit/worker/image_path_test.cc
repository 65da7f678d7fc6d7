#include "worker/image_path.h"

#include <string>

#include "gtest/gtest.h"

namespace tessera::worker {
namespace {

TEST(ImagePathTest, PathOfAPicture) {
  EXPECT_EQ(*ImagePath(17, "a1", 2), "images/000017/a1-2.png");
  EXPECT_EQ(*ImagePath(1234567, "a", 0), "images/1234567/a-0.png");
  EXPECT_EQ(*ImagePath(0, "A.b_c-d", 0), "images/000000/A.b_c-d-0.png");
}

TEST(ImagePathTest, IdThatIsNotAFileNameIsRefused) {
  for (const std::string bad :
       {"", ".", "..", ".a", "a/b", "a b", "\xC3\xA4", "a\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ImagePath(0, bad, 0).status())) << bad;
  }
  EXPECT_TRUE(ImagePath(0, std::string(64, 'a'), 0).ok());
  EXPECT_FALSE(ImagePath(0, std::string(65, 'a'), 0).ok());
}

}  // namespace
}  // namespace tessera::worker
