#include "worker/pipeline/micro_batch_head.h"

#include "gtest/gtest.h"

namespace tessera::pipeline {
namespace {

// A head with one of everything.
MicroBatchHead FullHead() {
  return {.micro_batch = 3,
          .height = 8,
          .width = 12,
          .timesteps = {981.0f, 1.5f},
          .arranged = true,
          .rows = {{.prompt = 7,
                    .adapters = {{.name = "ink",
                                  .sha256 = "ab",
                                  .digest = "cd",
                                  .allow_unmatched = true,
                                  .scale = 0.5f}}},
                   {.prompt = 8}},
          .prompts = {{.prompt = 8,
                       .text = {.dtype = kernels::DType::kF32,
                                .rows = 1,
                                .columns = 1,
                                .elements = {std::byte{1}, std::byte{2},
                                             std::byte{3}, std::byte{4}}},
                       .added = {.dtype = kernels::DType::kF16,
                                 .rows = 1,
                                 .columns = 1,
                                 .elements = {std::byte{5}, std::byte{6}}}}}};
}

TEST(MicroBatchHeadTest, ComesBackAsItWas) {
  for (const MicroBatchHead& head : {FullHead(), MicroBatchHead()}) {
    const auto decoded = DecodeHead(EncodeHead(head));

    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, head);
  }
}

TEST(MicroBatchHeadTest, RefusesEveryBeginningOfItself) {
  const std::vector<std::byte> bytes = EncodeHead(FullHead());

  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeHead(std::span(bytes).first(size)).ok()) << size;
  }
}

TEST(MicroBatchHeadTest, RefusesMoreThanItself) {
  std::vector<std::byte> bytes = EncodeHead(FullHead());
  bytes.push_back(std::byte{0});

  EXPECT_FALSE(DecodeHead(bytes).ok());
}

}  // namespace
}  // namespace tessera::pipeline
