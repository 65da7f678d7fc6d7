#include "worker/model/adapter_set.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/changes.h"
#include "tests/unit/worker/demo_model.h"
#include "worker/model/model_parts.h"

namespace tessera::model {
namespace {

class AdapterSetTest : public ::testing::Test {
 protected:
  static const DemoModel& Demo() {
    static const DemoModel* const demo = new DemoModel(2);
    return *demo;
  }
  static const TextToImage& Model() { return *Demo().model; }

  // A change of the bias of the UNet's last convolution.
  static AdapterUse Bias(const std::string& digest, double value, float scale) {
    const int64_t outputs = Model().parts().unet_config.out_channels;
    return {Changes(digest, {{"conv_out", LayerTensor::kBias, outputs, value}}),
            scale};
  }

  // A real LoRA that must be merged, because a change of nothing is with it.
  static std::shared_ptr<const AdapterWeights> MergedInk() {
    static const auto* const merged = [] {
      const auto ink = Demo().Adapter("ink-peft.safetensors");
      auto weights = std::make_shared<AdapterWeights>();
      weights->digest = ink->digest;
      for (const AdapterLayer& layer : ink->layers) {
        weights->layers.push_back({.net = layer.net,
                                   .name = layer.name,
                                   .down = Copy(layer.down),
                                   .up = Copy(layer.up),
                                   .scale = layer.scale});
      }
      weights->changes = Bias("", 0, 1).weights->changes;
      return new std::shared_ptr<const AdapterWeights>(std::move(weights));
    }();
    return *merged;
  }

  static kernels::PackedWeights Copy(const kernels::PackedWeights& weights) {
    return kernels::PackConvWeights(*Demo().device,
                                    kernels::UnpackWeights(weights)->view())
        .value();
  }
};

// Returns the largest difference of two pictures' bytes.
int Farthest(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  int most = a.size() == b.size() ? 0 : 256;
  for (size_t i = 0; i < a.size() && most < 256; ++i) {
    most = std::max(most, std::abs(int{a[i]} - int{b[i]}));
  }
  return most;
}

TEST_F(AdapterSetTest, LowRankSetsAreAppliedByRow) {
  AdapterSets sets(Model(), int64_t{1} << 30);

  const auto set =
      sets.Prepare({{Demo().Adapter("ink-peft.safetensors"), 0.5f}}).value();

  EXPECT_EQ(set->merged, nullptr);
  EXPECT_EQ(set->by_row.size(), size_t{1});
  EXPECT_EQ(sets.merges(), 0);
}

TEST_F(AdapterSetTest, OneOfAnotherKindMergesTheWholeSet) {
  AdapterSets sets(Model(), int64_t{1} << 30);

  const auto set = sets.Prepare({{Demo().Adapter("ink-peft.safetensors"), 1},
                                 Bias("x", 0.1, 1)})
                       .value();

  EXPECT_NE(set->merged, nullptr);
  EXPECT_TRUE(set->by_row.empty());
}

TEST_F(AdapterSetTest, StrengthZeroIsAsIfAbsent) {
  AdapterSets sets(Model(), int64_t{1} << 30);

  const auto set = sets.Prepare({Bias("x", 0.1, 0)}).value();

  EXPECT_EQ(set->merged, nullptr);
  EXPECT_EQ(set->key, sets.Prepare({}).value()->key);
}

TEST_F(AdapterSetTest, ASetIsMergedOnceInWhateverOrder) {
  AdapterSets sets(Model(), int64_t{1} << 30);
  const AdapterUse x = Bias("x", 0.1, 1), y = Bias("y", 0.3, 1);

  const auto one = sets.Prepare({x, y}).value();
  const auto other = sets.Prepare({y, x}).value();

  EXPECT_EQ(one, other);
  EXPECT_EQ(sets.merges(), 1);
}

TEST_F(AdapterSetTest, TheSetUsedLongestAgoLeavesWhenTheBudgetIsSpent) {
  AdapterSets probe(Model(), int64_t{1} << 30);
  ASSERT_TRUE(probe.Prepare({Bias("x", 0.1, 1)}).ok());
  AdapterSets sets(Model(), 2 * probe.bytes());
  const auto prepare = [&](const std::string& digest) {
    return sets.Prepare({Bias(digest, 0.1, 1)}).value();
  };

  const auto held = prepare("x");
  prepare("y");
  prepare("x");
  prepare("z");

  EXPECT_EQ(sets.bytes(), 2 * probe.bytes());
  prepare("x");
  EXPECT_EQ(sets.merges(), 3);
  prepare("y");
  EXPECT_EQ(sets.merges(), 4);
  EXPECT_GT(held->merged->bytes(), 0);
}

TEST_F(AdapterSetTest, ASetLargerThanTheBudgetStillWorks) {
  AdapterSets sets(Model(), 0);

  const auto set = sets.Prepare({Bias("x", 0.1, 1)}).value();

  EXPECT_NE(set->merged, nullptr);
  EXPECT_EQ(sets.bytes(), 0);
}

TEST_F(AdapterSetTest, MergedAndByRowAreTheSamePicture) {
  ImageRequest by_row = SmallRequest("a red apple", 3);
  by_row.adapters = {{Demo().Adapter("ink-peft.safetensors"), 0.8f}};
  ImageRequest merged = by_row;
  merged.adapters = {{MergedInk(), 0.8f}};
  ImageRequest plain = by_row;
  plain.adapters.clear();

  const auto expected = Alone(Model(), by_row);

  EXPECT_LE(Farthest(Alone(Model(), merged), expected), 1);
  EXPECT_GT(Farthest(Alone(Model(), plain), expected), 10);
}

TEST_F(AdapterSetTest, MergedPicturesDoNotDependOnTheirNeighbours) {
  std::vector<ImageRequest> requests;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    requests.push_back(SmallRequest("a red apple", seed));
  }
  requests[1].adapters = {{MergedInk(), 1.0f}};
  requests[2].adapters = {{Demo().Adapter("pixel-kohya.safetensors"), 0.7f}};
  requests[3].adapters = {Bias("x", 0.2, 1), {MergedInk(), 0.5f}};
  requests[4].adapters = {{MergedInk(), 1.0f}};
  requests[4].guidance_scale = 1;
  DenoiseBatch batch(Model(), {.capacity = 5});
  for (size_t i = 0; i < requests.size(); ++i) {
    ASSERT_TRUE(batch.Admit(static_cast<int64_t>(i), requests[i]).ok());
  }

  const std::vector<Finished> finished = RunToEnd(batch);

  ASSERT_EQ(finished.size(), requests.size());
  for (const Finished& one : finished) {
    EXPECT_EQ(one.image.value().rgb,
              Alone(Model(), requests[static_cast<size_t>(one.ticket)]))
        << one.ticket;
  }
  // The model's own, ink alone, and ink with x: three calls a step.
  EXPECT_EQ(batch.seconds().unet_calls, 3 * 3);
}

TEST_F(AdapterSetTest, TheSetsOrderDoesNotMatterToTheBit) {
  ImageRequest one = SmallRequest("a penguin", 3);
  one.adapters = {Bias("x", 0.2, 1), {MergedInk(), 0.5f}, Bias("y", 1e-4, 3)};
  ImageRequest other = one;
  std::reverse(other.adapters.begin(), other.adapters.end());

  EXPECT_EQ(Alone(Model(), one), Alone(Model(), other));
}

}  // namespace
}  // namespace tessera::model
