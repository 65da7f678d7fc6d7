#include "worker/model/unet_runner.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/worker/demo_model.h"
#include "worker/model/model_parts.h"

namespace tessera::model {
namespace {

TEST(UNetRunnerTest, PiecesCoverEverySkipOnce) {
  const DemoModel demo(1);
  std::vector<int> open;

  for (const UNetPiece& piece : demo.model->parts().unet.pieces()) {
    if (piece.takes_skip >= 0) {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(piece.takes_skip, open.back()) << piece.name;
      open.pop_back();
    }
    if (piece.saves_skip >= 0) open.push_back(piece.saves_skip);
  }

  EXPECT_TRUE(open.empty());
}

}  // namespace
}  // namespace tessera::model
