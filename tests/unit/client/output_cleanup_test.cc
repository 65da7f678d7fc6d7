#include "client/output_cleanup.h"

#include <filesystem>

#include "gtest/gtest.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

class OutputCleanupTest : public ::testing::Test {
 protected:
  bool Exists(const std::string& name) const {
    return std::filesystem::exists(folder_.File(name));
  }

  ScratchFolder folder_;
  const std::string out_ = folder_.File("out");
};

TEST_F(OutputCleanupTest, FilesOfAnotherJobStay) {
  folder_.Write("out/.tessera-tmp/mine", "x");

  CleanOutput(out_, LookAtOutput(out_), /*refused=*/true);

  EXPECT_TRUE(Exists("out/.tessera-tmp/mine"));
}

TEST_F(OutputCleanupTest, WhatARefusedJobMadeIsRemoved) {
  const OutputBefore before = LookAtOutput(out_);
  folder_.Write("out/.tessera-tmp/w1/half.png", "x");

  CleanOutput(out_, before, /*refused=*/true);

  EXPECT_FALSE(Exists("out"));
}

TEST_F(OutputCleanupTest, EmptyFolderOfTheUserStays) {
  std::filesystem::create_directory(out_);
  const OutputBefore before = LookAtOutput(out_);
  folder_.Write("out/.tessera-tmp/w1/half.png", "x");

  CleanOutput(out_, before, /*refused=*/true);

  EXPECT_TRUE(Exists("out"));
  EXPECT_FALSE(Exists("out/.tessera-tmp"));
}

TEST_F(OutputCleanupTest, PicturesStay) {
  const OutputBefore before = LookAtOutput(out_);
  folder_.Write("out/images/000000/0-0.png", "x");
  folder_.Write("out/.tessera-tmp/w1/half.png", "x");

  CleanOutput(out_, before, /*refused=*/true);

  EXPECT_TRUE(Exists("out/images/000000/0-0.png"));
  EXPECT_FALSE(Exists("out/.tessera-tmp"));
}

}  // namespace
}  // namespace tessera::client
