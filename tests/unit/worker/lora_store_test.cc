#include "worker/lora_store.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/output_tree.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;

class LoraStoreTest : public ::testing::Test {
 protected:
  LoraStore Make(int64_t bytes) {
    return LoraStore(
        {files_, tree_.path(), bytes},
        [this](const std::string& path,
               const lora::ModelLayers&) -> absl::StatusOr<LoraStore::Weights> {
          parsed_.push_back(path.substr(tree_.path().size() + 1));
          if (path.ends_with("bad.safetensors")) {
            return absl::InvalidArgumentError("damaged");
          }
          // Only the identity of the weights matters here.
          return LoraStore::Weights(
              std::make_shared<int>(0),
              static_cast<const model::AdapterWeights*>(nullptr));
        });
  }

  OutputTree tree_;
  const lora::ModelLayers model_{"model", {}};
  std::map<std::string, std::string> files_;
  std::vector<std::string> parsed_;
};

TEST_F(LoraStoreTest, FindsNamedFilesBeforeTheFolders) {
  tree_.Write("ink.safetensors", "1234");
  tree_.Write("pixel.safetensors", "1234");
  files_["ink"] = tree_.Write("elsewhere.bin", "1234");
  LoraStore store = Make(100);

  EXPECT_TRUE(store.Get("ink", model_).ok());
  EXPECT_TRUE(store.Get("pixel", model_).ok());

  EXPECT_THAT(parsed_, ElementsAre("elsewhere.bin", "pixel.safetensors"));
}

TEST_F(LoraStoreTest, UnknownNameIsNotFound) {
  LoraStore store = Make(100);

  for (const char* name : {"ink", "", "../ink", ".ink"}) {
    EXPECT_THAT(store.Get(name, model_), StatusIs(absl::StatusCode::kNotFound));
  }
}

TEST_F(LoraStoreTest, ParsesOnceWhatFits) {
  tree_.Write("a.safetensors", "1234");
  tree_.Write("b.safetensors", "1234");
  LoraStore store = Make(8);

  for (const char* name : {"a", "b", "a", "b"}) {
    EXPECT_TRUE(store.Get(name, model_).ok());
  }

  EXPECT_THAT(parsed_, ElementsAre("a.safetensors", "b.safetensors"));
}

TEST_F(LoraStoreTest, ParsesAnewForAnotherModel) {
  tree_.Write("a.safetensors", "1234");
  LoraStore store = Make(8);
  const lora::ModelLayers other("other", {});

  EXPECT_TRUE(store.Get("a", model_).ok());
  EXPECT_TRUE(store.Get("a", other).ok());

  EXPECT_THAT(parsed_, ElementsAre("a.safetensors", "a.safetensors"));
}

TEST_F(LoraStoreTest, ForgetsWhatWasUsedLongestAgo) {
  for (const char* name : {"a", "b", "c"}) {
    tree_.Write(std::string(name) + ".safetensors", "1234");
  }
  LoraStore store = Make(8);

  for (const char* name : {"a", "b", "a", "c", "a", "b"}) {
    EXPECT_TRUE(store.Get(name, model_).ok());
  }

  EXPECT_THAT(parsed_, ElementsAre("a.safetensors", "b.safetensors",
                                   "c.safetensors", "b.safetensors"));
}

TEST_F(LoraStoreTest, LargerThanTheBoundIsUsedButNotKept) {
  tree_.Write("a.safetensors", "123456789");
  LoraStore store = Make(8);

  EXPECT_TRUE(store.Get("a", model_).ok());
  EXPECT_TRUE(store.Get("a", model_).ok());

  EXPECT_THAT(parsed_, ElementsAre("a.safetensors", "a.safetensors"));
}

TEST_F(LoraStoreTest, DamagedFileIsAnErrorEachTime) {
  tree_.Write("bad.safetensors", "1234");
  LoraStore store = Make(100);

  EXPECT_THAT(store.Get("bad", model_),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store.Get("bad", model_),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tessera::worker
