#include "worker/lora_store.h"

#include <memory>
#include <string>
#include <vector>

#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/lora/cache_harness.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A store whose parser notes what it is given and takes the size of the file
// for the size in memory. "bad" files are refused, "odd" ones have a key that
// does not fit, "torn" ones change while they are read.
class LoraStoreTest : public lora::CacheTest {
 protected:
  LoraStore Make(int64_t memory_bytes) {
    return LoraStore(
        {files_, memory_bytes},
        [this](const std::string& path, const lora::ModelLayers& model,
               const lora::AdapterOptions& options) {
          return Parse(path, model, options);
        },
        node_.get(), parsed_events_);
  }

  // Returns a use of the registry's file with these bytes.
  LoraUse Registered(const std::string& bytes) {
    return {"name", 1, source_.Put(bytes)};
  }

  // Returns a use of a file that the worker is given.
  LoraUse Given(const std::string& name, const std::string& bytes) {
    files_[name] = folder_ / name;
    WriteText(files_[name], bytes);
    return {name};
  }

  absl::StatusOr<lora::BoundAdapter> Parse(
      const std::string& path, const lora::ModelLayers& model,
      const lora::AdapterOptions& options) {
    const std::string bytes = ReadText(path);
    parsed_.push_back(bytes + "/" + model.model_dir());
    lora::BoundAdapter adapter;
    if (bytes.starts_with("bad")) return absl::InvalidArgumentError("damaged");
    if (bytes.starts_with("odd")) {
      if (!options.allow_unmatched) {
        return absl::InvalidArgumentError("a key does not fit");
      }
      adapter.report.unmatched.push_back({"key", "the model has no layer"});
    }
    if (static_cast<int64_t>(bytes.size()) > options.max_bytes) {
      return absl::ResourceExhaustedError("adapter larger than the budget");
    }
    auto weights = std::make_shared<model::AdapterWeights>();
    weights->digest =
        options.sha256.empty() ? Sha256Hex(bytes) : options.sha256;
    if (bytes == "torn") WriteText(path, "other");
    adapter.weights = std::move(weights);
    adapter.report.bytes = static_cast<int64_t>(bytes.size());
    return adapter;
  }

  const lora::ModelLayers model_{"m", {}};
  const lora::ModelLayers other_model_{"n", {}};
  std::map<std::string, std::string> files_;
  std::vector<std::string> parsed_;
  lora::CountingEvents parsed_events_;
  std::unique_ptr<lora::NodeCache> node_ = CacheTest::Make(100);
};

TEST_F(LoraStoreTest, TakesAFileThatTheWorkerWasGiven) {
  const LoraUse ink = Given("ink", "1234");
  LoraStore store = Make(100);

  EXPECT_THAT(store.Get(ink, model_), IsOk());
  EXPECT_THAT(store.Get(ink, model_), IsOk());

  EXPECT_THAT(parsed_, ElementsAre("1234/m"));
  EXPECT_THAT(source_.fetched, IsEmpty());
}

TEST_F(LoraStoreTest, AnUnknownNameWithoutDigestIsNotFound) {
  WriteText(folder_ / "ink", "1234");
  LoraStore store = Make(100);

  for (const char* name : {"ink", "", "../ink"}) {
    EXPECT_THAT(store.Get({name}, model_),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr(name)));
  }
}

TEST_F(LoraStoreTest, FetchesOnceAndParsesOnce) {
  const LoraUse ink = Registered("1234");
  LoraStore store = Make(100);

  const auto first = store.Get(ink, model_);
  const auto second = store.Get(ink, model_);

  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->get(), second->get());
  EXPECT_THAT(parsed_, ElementsAre("1234/m"));
  EXPECT_THAT(source_.fetched, ElementsAre(ink.sha256));
  EXPECT_EQ(parsed_events_.misses, 1);
  EXPECT_EQ(parsed_events_.hits, 1);
  EXPECT_EQ(parsed_events_.loads, 1);
}

TEST_F(LoraStoreTest, NamesAreImmaterialWhereThereIsADigest) {
  LoraUse ink = Registered("1234");
  Given("name", "another file");
  LoraStore store = Make(100);

  EXPECT_THAT(store.Get(ink, model_), IsOk());
  ink.name = "a second name of it";
  ink.scale = 0.25f;
  EXPECT_THAT(store.Get(ink, model_), IsOk());

  EXPECT_THAT(parsed_, ElementsAre("1234/m"));
}

TEST_F(LoraStoreTest, ParsesAnewForAnotherModel) {
  const LoraUse ink = Registered("1234");
  LoraStore store = Make(100);

  EXPECT_THAT(store.Get(ink, model_), IsOk());
  EXPECT_THAT(store.Get(ink, other_model_), IsOk());

  EXPECT_THAT(parsed_, ElementsAre("1234/m", "1234/n"));
  EXPECT_THAT(source_.fetched, ElementsAre(ink.sha256));
}

TEST_F(LoraStoreTest, WhatOneJobAllowsIsNotAllowedForTheNext) {
  LoraUse odd = Registered("odd");
  LoraStore store = Make(100);

  odd.allow_unmatched = true;
  EXPECT_THAT(store.Get(odd, model_), IsOk());
  odd.allow_unmatched = false;
  EXPECT_THAT(store.Get(odd, model_),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(LoraStoreTest, WithoutANodeCacheTheRegistryIsOutOfReach) {
  node_.reset();
  LoraStore store = Make(100);

  EXPECT_THAT(store.Get(Registered("1234"), model_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("LoRA name"), HasSubstr("lora-cache"))));
}

TEST_F(LoraStoreTest, RefusesADigestThatIsNone) {
  LoraStore store = Make(100);

  EXPECT_THAT(store.Get({"ink", 1, "../../etc/passwd"}, model_),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(LoraStoreTest, ADamagedFileIsAnErrorEachTimeThatNamesTheLora) {
  const LoraUse bad = Registered("bad");
  LoraStore store = Make(100);

  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(
        store.Get(bad, model_),
        StatusIs(absl::StatusCode::kInvalidArgument, "LoRA name: damaged"));
  }

  EXPECT_THAT(store.Get(Registered("good"), model_), IsOk());
}

TEST_F(LoraStoreTest, AFileThatChangesWhileItIsParsedIsNotUsed) {
  LoraStore store = Make(100);

  EXPECT_THAT(store.Get(Registered("torn"), model_),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(LoraStoreTest, LargerThanTheBudgetFailsAlone) {
  LoraStore store = Make(8);

  EXPECT_THAT(store.Get(Registered("123456789"), model_),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("larger than the budget")));
  EXPECT_THAT(store.Get(Registered("12345678"), model_), IsOk());
}

TEST_F(LoraStoreTest, ForgetsWhatWasUsedLongestAgoButKeepsItsFile) {
  const LoraUse a = Registered("aaaa"), b = Registered("bbbb"),
                c = Registered("cccc");
  LoraStore store = Make(8);
  for (const LoraUse& use : {a, b, a, c}) {
    EXPECT_THAT(store.Get(use, model_), IsOk());
  }

  EXPECT_THAT(store.Get(b, model_), IsOk());

  EXPECT_THAT(parsed_, ElementsAre("aaaa/m", "bbbb/m", "cccc/m", "bbbb/m"));
  EXPECT_EQ(source_.fetched.size(), 3u);
}

TEST_F(LoraStoreTest, WhatIsInUseIsNeitherForgottenNorDropped) {
  node_ = CacheTest::Make(10);  // two of these files
  const LoraUse a = Registered("aaaa"), b = Registered("bbbb"),
                c = Registered("cccc");
  LoraStore store = Make(8);
  {
    const auto used = store.Get(a, model_);
    clock_.Advance(absl::Seconds(1));
    for (const LoraUse& use : {b, c, b, c}) {
      EXPECT_THAT(store.Get(use, model_), IsOk());
      clock_.Advance(absl::Seconds(1));
    }
    EXPECT_THAT(store.Get(a, model_), IsOk());
    EXPECT_EQ(parsed_[0], "aaaa/m");
    EXPECT_EQ(std::count(parsed_.begin(), parsed_.end(), "aaaa/m"), 1);
    EXPECT_THAT(source_.fetched,
                ElementsAre(a.sha256, b.sha256, c.sha256, b.sha256, c.sha256));
  }
  // Not in use any more: the next two take its place.
  for (const LoraUse& use : {b, c}) {
    clock_.Advance(absl::Seconds(1));
    EXPECT_THAT(store.Get(use, model_), IsOk());
  }
  EXPECT_THAT(node_->Held(10), ElementsAre(c.sha256, b.sha256));
}

TEST_F(LoraStoreTest, UseFromMemoryKeepsTheFileFresh) {
  node_ = CacheTest::Make(10);
  const LoraUse a = Registered("aaaa"), b = Registered("bbbb");
  LoraStore store = Make(100);
  for (const LoraUse& use : {a, b, a}) {
    EXPECT_THAT(store.Get(use, model_), IsOk());
    clock_.Advance(absl::Seconds(1));
  }

  EXPECT_THAT(node_->Held(10), ElementsAre(a.sha256, b.sha256));
}

TEST_F(LoraStoreTest, MemoryServesWhatTheNodeHasDropped) {
  node_ = CacheTest::Make(5);  // one of these files
  const LoraUse a = Registered("aaaa"), b = Registered("bbbb");
  LoraStore store = Make(100);
  for (const LoraUse& use : {a, b, a}) {
    EXPECT_THAT(store.Get(use, model_), IsOk());
  }

  EXPECT_THAT(parsed_, ElementsAre("aaaa/m", "bbbb/m"));
  EXPECT_THAT(source_.fetched, ElementsAre(a.sha256, b.sha256));
}

}  // namespace
}  // namespace tessera::worker
