#include "worker/model_store.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/fake_engine.h"
#include "tests/unit/worker/output_tree.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ListModelsTest, NamesTheFoldersThatHoldAModel) {
  OutputTree tree;
  tree.Write("beta/model_index.json", "{}");
  tree.Write("alpha/model_index.json", "{}");
  tree.Write("notes/readme.txt", "no model");
  tree.Write("model_index.json", "{}");

  const auto names = ListModels(tree.path());

  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names, ElementsAre("alpha", "beta"));
}

TEST(ListModelsTest, FolderWithoutModelSaysWhatIsMissing) {
  OutputTree tree;

  EXPECT_THAT(ListModels(tree.path()),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("a subfolder with model_index.json")));
}

TEST(ListModelsTest, MissingFolderIsNamed) {
  EXPECT_THAT(
      ListModels("/nowhere/models"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere/models")));
}

class ModelStoreTest : public ::testing::Test {
 protected:
  ModelStoreTest()
      : store_(
            "/models", {"alpha", "beta"},
            [this](const std::string& name, const std::string& path)
                -> absl::StatusOr<std::unique_ptr<Engine>> {
              paths_.push_back(path);
              if (name == "beta") return absl::DataLossError("damaged");
              return std::make_unique<FakeEngine>();
            },
            [this](absl::Duration) { ++loads_; }) {}

  std::vector<std::string> paths_;
  int loads_ = 0;
  ModelStore store_;
};

TEST_F(ModelStoreTest, LoadsOnDemandAndOnce) {
  EXPECT_THAT(paths_, ElementsAre());

  const auto first = store_.Get("alpha");
  const auto second = store_.Get("alpha");

  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_THAT(paths_, ElementsAre("/models/alpha"));
  EXPECT_EQ(loads_, 1);
}

TEST_F(ModelStoreTest, UnknownNameIsNotLoaded) {
  EXPECT_THAT(store_.Get("../alpha"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(paths_, ElementsAre());
}

TEST_F(ModelStoreTest, FailedLoadIsTriedAgainAndLeavesNothing) {
  ASSERT_TRUE(store_.Get("alpha").ok());

  EXPECT_THAT(store_.Get("beta"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(store_.Get("beta"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(store_.Get("alpha").ok());

  EXPECT_THAT(paths_, ElementsAre("/models/alpha", "/models/beta",
                                  "/models/beta", "/models/alpha"));
}

}  // namespace
}  // namespace tessera::worker
