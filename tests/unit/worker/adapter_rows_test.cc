#include "worker/model/adapter_rows.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::model {
namespace {

using ::testing::HasSubstr;

class AdapterRowsTest : public ::testing::Test {
 protected:
  AdapterRowsTest() : device_(kernels::CreateCpuDevice(1).value()) {
    layer_ = table_.Add({"to_q", 8, 4, 1});
  }

  std::shared_ptr<const AdapterWeights> Adapter(const std::string& digest,
                                                int64_t outputs) const {
    auto weights = std::make_shared<AdapterWeights>();
    weights->name = weights->digest = digest;
    AdapterLayer layer;
    layer.name = "to_q";
    layer.down = Packed(2, 4);
    layer.up = Packed(outputs, 2);
    layer.scale = 0.5f;
    weights->layers.push_back(std::move(layer));
    return weights;
  }

  kernels::PackedWeights Packed(int64_t n, int64_t k) const {
    const kernels::Tensor zeros(kernels::Shape{n, k}, kernels::DType::kF32);
    return kernels::PackGemmWeights(*device_, zeros.view()).value();
  }

  std::unique_ptr<kernels::Device> device_;
  LayerTable table_;
  int layer_ = 0;
};

TEST_F(AdapterRowsTest, NeighboursWithOneAdapterShareASegment) {
  const AdapterUse use{Adapter("a", 8), 2.0f};
  AdapterRows rows(AdapterNet::kUNet, table_, {{use}, {use}, {}, {use}});

  const auto segments = rows.For(layer_, 4 * 10);

  ASSERT_EQ(segments.size(), size_t{2});
  EXPECT_EQ(segments[0].row_begin, 0);
  EXPECT_EQ(segments[0].row_end, 20);
  EXPECT_EQ(segments[1].row_begin, 30);
  EXPECT_EQ(segments[1].row_end, 40);
  EXPECT_EQ(segments[0].scale, 1.0f);
}

TEST_F(AdapterRowsTest, EveryRowKeepsTheCanonicalOrder) {
  const AdapterUse a{Adapter("a", 8), 1.0f};
  const AdapterUse b{Adapter("b", 8), 1.0f};
  AdapterRows rows(AdapterNet::kUNet, table_, {{a, b}, {b}, {a, b}});

  const auto segments = rows.For(layer_, 3);

  ASSERT_EQ(segments.size(), size_t{3});
  EXPECT_EQ(segments[0].down, &a.weights->layers[0].down);
  EXPECT_EQ(segments[1].down, &a.weights->layers[0].down);
  EXPECT_EQ(segments[2].down, &b.weights->layers[0].down);
  EXPECT_EQ(segments[2].row_end, 3);
}

TEST_F(AdapterRowsTest, TheSameAdapterTwiceAddsTwice) {
  const AdapterUse use{Adapter("a", 8), 1.0f};
  AdapterRows rows(AdapterNet::kUNet, table_, {{use, use}, {use}});

  EXPECT_EQ(rows.For(layer_, 2).size(), size_t{2});
}

TEST_F(AdapterRowsTest, OtherNetsLayersAreIgnored) {
  const AdapterUse use{Adapter("a", 8), 1.0f};
  const AdapterRows rows(AdapterNet::kTextEncoder, table_, {{use}});

  EXPECT_TRUE(rows.empty());
  EXPECT_FALSE(rows.Has(layer_));
}

TEST_F(AdapterRowsTest, CanonicalOrderDropsStrengthZeroAndSorts) {
  const std::vector<AdapterUse> set = InCanonicalOrder(
      {{Adapter("b", 8), 1.0f}, {Adapter("c", 8), 0.0f}, {Adapter("a", 8), 2}});

  ASSERT_EQ(set.size(), size_t{2});
  EXPECT_EQ(set[0].weights->digest, "a");
  EXPECT_EQ(set[1].weights->digest, "b");
}

TEST_F(AdapterRowsTest, KeysDifferByStrength) {
  EXPECT_NE(AdapterSetKey({{Adapter("a", 8), 1.0f}}),
            AdapterSetKey({{Adapter("a", 8), 0.5f}}));
}

TEST_F(AdapterRowsTest, RefusesALayerThatDoesNotFit) {
  EXPECT_TRUE(CheckAdapter(*Adapter("a", 8), AdapterNet::kUNet, table_).ok());
  const absl::Status status =
      CheckAdapter(*Adapter("a", 6), AdapterNet::kUNet, table_);

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("to_q"));
}

TEST_F(AdapterRowsTest, RefusesALayerThatTheModelLacks) {
  const absl::Status status =
      CheckAdapter(*Adapter("a", 8), AdapterNet::kUNet, LayerTable());

  EXPECT_THAT(std::string(status.message()), HasSubstr("no such layer"));
}

}  // namespace
}  // namespace tessera::model
