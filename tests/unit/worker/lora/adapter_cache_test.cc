#include "worker/lora/adapter_cache.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/lora/counting_events.h"

namespace tessera::lora {
namespace {

using Weights = AdapterCache::Weights;

class AdapterCacheTest : public ::testing::Test {
 protected:
  // Asks for an adapter of `bytes` as the store does. Returns it, in use.
  Weights Use(const std::string& file, int64_t bytes) {
    const AdapterKey key{file, "model", false};
    Weights weights = cache_.Find(key);
    if (weights == nullptr) {
      weights = std::make_shared<const model::AdapterWeights>();
      cache_.Insert(key, weights, bytes);
    }
    return weights;
  }

  bool Has(const std::string& file) {
    return cache_.Find({file, "model", false}) != nullptr;
  }

  CountingEvents events_;
  AdapterCache cache_{100, events_};
};

TEST_F(AdapterCacheTest, KeepsWhatFits) {
  const model::AdapterWeights* const first = Use("a", 60).get();

  EXPECT_EQ(Use("a", 60).get(), first);
  Use("b", 40);
  EXPECT_EQ(Use("a", 60).get(), first);

  EXPECT_EQ(events_.hits, 2);
  EXPECT_EQ(events_.misses, 2);
  EXPECT_EQ(events_.evictions, 0);
  EXPECT_EQ(events_.bytes, 100);
}

TEST_F(AdapterCacheTest, ForgetsWhatWasUsedLongestAgo) {
  for (const char* file : {"a", "b", "a", "c"}) Use(file, 40);

  EXPECT_TRUE(Has("a"));
  EXPECT_FALSE(Has("b"));
  EXPECT_TRUE(Has("c"));
  EXPECT_EQ(events_.evictions, 1);
  EXPECT_EQ(cache_.bytes(), 80);
}

TEST_F(AdapterCacheTest, KeepsWhatIsInUse) {
  const Weights a = Use("a", 40);
  Use("b", 40);
  Use("c", 40);

  EXPECT_TRUE(Has("a"));
  EXPECT_FALSE(Has("b"));
}

TEST_F(AdapterCacheTest, UseMayExceedTheBoundForItsTime) {
  {
    const Weights a = Use("a", 60);
    const Weights b = Use("b", 60);
    const Weights c = Use("c", 60);
    EXPECT_EQ(cache_.bytes(), 180);
    EXPECT_EQ(events_.evictions, 0);
  }
  Use("d", 30);

  EXPECT_LE(cache_.bytes(), 100);
  EXPECT_TRUE(Has("c"));
  EXPECT_TRUE(Has("d"));
}

TEST_F(AdapterCacheTest, ModelAndStrictnessTellAdaptersApart) {
  Use("a", 10);

  EXPECT_EQ(cache_.Find({"a", "another", false}), nullptr);
  EXPECT_EQ(cache_.Find({"a", "model", true}), nullptr);
  EXPECT_NE(cache_.Find({"a", "model", false}), nullptr);
}

}  // namespace
}  // namespace tessera::lora
