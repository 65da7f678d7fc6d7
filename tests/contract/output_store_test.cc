// What every output store promises. The ones in buckets need a server of S3:
// tests/storage/run.py starts one.
#include "common/storage/output_store.h"

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/sha256.h"
#include "common/storage/folder_output_store.h"
#include "common/storage/output_places.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::storage {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPath[] = "images/000007/a-0.png";

// Reads the environment that tests/storage/run.py makes.
std::optional<std::string> Variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// One implementation; the place is empty before each test.
struct StoreCase {
  std::string name;
  bool in_bucket = false;
};

class OutputStoreTest : public ::testing::TestWithParam<StoreCase> {
 protected:
  void SetUp() override {
    if (!GetParam().in_bucket) {
      uri_ = folder_.path();
    } else if (Variable("TESSERA_TEST_S3").has_value()) {
      // A prefix of its own: tests share the bucket.
      uri_ = "s3://tessera/" + folder_.path().substr(5);
    } else {
      GTEST_SKIP() << "no server of S3; run by tests/storage/run.py";
    }
    store_ = Open("writer");
  }

  std::unique_ptr<OutputStore> Open(const std::string& writer) {
    return OutputPlaces(&s3_).Open(uri_, writer).value();
  }

  // Tells the proxy what is to fail.
  void Fail(const std::string& faults) {
    if (!GetParam().in_bucket) return;
    HttpRequest request;
    request.method = "POST";
    request.url = *Variable("AWS_ENDPOINT_URL") + "/faults";
    request.body = faults;
    ASSERT_THAT(http_.Send(request), IsOk());
  }

  testing::TemporaryFolder folder_;
  CurlHttp http_;
  S3Access s3_{Variable, 1, RealClock()};
  std::string uri_;
  std::unique_ptr<OutputStore> store_;
};

TEST_P(OutputStoreTest, PutFileIsThereWithItsDigest) {
  ASSERT_THAT(store_->Prepare("images/000007"), IsOk());
  EXPECT_THAT(store_->Exists(kPath), IsOkAndHolds(false));

  EXPECT_THAT(store_->Put(kPath, "bytes"), IsOkAndHolds(Sha256Hex("bytes")));

  EXPECT_THAT(store_->Exists(kPath), IsOkAndHolds(true));
  EXPECT_THAT(store_->Read(kPath, 0, 100), IsOkAndHolds("bytes"));
  EXPECT_THAT(store_->Read(kPath, 2, 2), IsOkAndHolds("te"));
  EXPECT_THAT(store_->Read(kPath, 5, 2), IsOkAndHolds(""));
  EXPECT_THAT(store_->Read(kPath, 50, 2), IsOkAndHolds(""));
  EXPECT_THAT(store_->NameOf(kPath), HasSubstr(kPath));
}

TEST_P(OutputStoreTest, LaterPutReplaces) {
  ASSERT_THAT(store_->Prepare("images/000007"), IsOk());
  ASSERT_THAT(store_->Put(kPath, "earlier, longer bytes"), IsOk());

  ASSERT_THAT(store_->Put(kPath, "bytes"), IsOk());

  EXPECT_THAT(store_->Read(kPath, 0, 100), IsOkAndHolds("bytes"));
}

TEST_P(OutputStoreTest, MissingFileIsNotFound) {
  EXPECT_THAT(store_->Read("images/none.png", 0, 1),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.png")));
  EXPECT_THAT(store_->Remove("images/none.png"), IsOk());
  EXPECT_THAT(store_->List("images"), IsOkAndHolds(IsEmpty()));
}

TEST_P(OutputStoreTest, CreatedFileAppearsWithItsCommit) {
  ASSERT_THAT(store_->Prepare(""), IsOk());
  // More than one part of an upload.
  const std::string piece(3 << 20, 'x');
  {
    const auto file = store_->Create("manifest.jsonl");
    ASSERT_THAT(file, IsOk());
    for (int i = 0; i < 4; ++i) ASSERT_THAT((*file)->Append(piece), IsOk());
    EXPECT_THAT(store_->Exists("manifest.jsonl"), IsOkAndHolds(false));
  }
  EXPECT_THAT(store_->Exists("manifest.jsonl"), IsOkAndHolds(false));

  const auto file = store_->Create("manifest.jsonl");
  for (int i = 0; i < 4; ++i) ASSERT_THAT((*file)->Append(piece), IsOk());
  ASSERT_THAT((*file)->Append("end"), IsOk());
  ASSERT_THAT((*file)->Commit(), IsOk());

  EXPECT_THAT(store_->Read("manifest.jsonl", 4 * (3 << 20) - 1, 100),
              IsOkAndHolds("xend"));
}

TEST_P(OutputStoreTest, EmptyFileIsAFile) {
  ASSERT_THAT(store_->Prepare(""), IsOk());
  const auto file = store_->Create("errors.jsonl");
  ASSERT_THAT((*file)->Commit(), IsOk());

  EXPECT_THAT(store_->Exists("errors.jsonl"), IsOkAndHolds(true));
  EXPECT_THAT(store_->Read("errors.jsonl", 0, 10), IsOkAndHolds(""));
}

TEST_P(OutputStoreTest, ListsAFolderAndRemovesFromIt) {
  for (const char* path : {"images/000000/b.png", "images/000000/a+ü.png",
                           "images/000001/c.png"}) {
    ASSERT_THAT(store_->Prepare(std::string(path).substr(0, 13)), IsOk());
    ASSERT_THAT(store_->Put(path, path), IsOk());
  }

  EXPECT_THAT(store_->List("images/000000"),
              IsOkAndHolds(
                  ElementsAre("images/000000/a+ü.png", "images/000000/b.png")));
  ASSERT_THAT(store_->Remove("images/000000/b.png"), IsOk());
  EXPECT_THAT(store_->List(""),
              IsOkAndHolds(
                  ElementsAre("images/000000/a+ü.png", "images/000001/c.png")));
}

TEST_P(OutputStoreTest, WhatAKilledWriterLeftIsSweptAndNothingElse) {
  ASSERT_THAT(store_->Prepare("images/000007"), IsOk());
  ASSERT_THAT(store_->Put(kPath, "bytes"), IsOk());
  auto other = Open("other");
  ASSERT_THAT(other->Prepare(""), IsOk());
  auto half = other->Create("manifest.jsonl");
  ASSERT_THAT((*half)->Append(std::string(9 << 20, 'x')), IsOk());

  ASSERT_THAT(store_->RemoveTemporaries(), IsOk());

  EXPECT_FALSE((*half)->Commit().ok());
  EXPECT_THAT(store_->List(""), IsOkAndHolds(ElementsAre(kPath)));
}

TEST_P(OutputStoreTest, NothingIsLostWhenTheServerFails) {
  ASSERT_THAT(store_->Prepare("images/000007"), IsOk());
  const std::string bytes(100'000, 'y');
  for (const char* what : {"503", "500", "drop", "lost", "half"}) {
    Fail(std::string(R"([{"match": "000007", "times": 2, "what": ")") + what +
         R"("}])");

    EXPECT_THAT(store_->Put(kPath, bytes + what), IsOk()) << what;

    Fail(std::string(R"([{"method": "GET", "times": 2, "what": ")") + what +
         R"("}])");
    EXPECT_THAT(store_->Read(kPath, 0, 1 << 20), IsOkAndHolds(bytes + what))
        << what;
  }
}

TEST_P(OutputStoreTest, UploadInPartsSurvivesFailuresOfEachStep) {
  ASSERT_THAT(store_->Prepare(""), IsOk());
  std::string bytes(17 << 20, 'z');
  for (const char* method : {"POST", "PUT"}) {
    for (const char* what : {"503", "drop", "lost", "half"}) {
      bytes += what;
      Fail(std::string(R"([{"match": "manifest", "method": ")") + method +
           R"(", "what": ")" + what +
           R"("}, {"match": "uploadId", "method": ")" + method +
           R"(", "what": ")" + what + R"("}])");
      const auto file = store_->Create("manifest.jsonl");
      ASSERT_THAT(file, IsOk());
      ASSERT_THAT((*file)->Append(bytes), IsOk()) << method << what;

      EXPECT_THAT((*file)->Commit(), IsOk()) << method << what;

      EXPECT_THAT(store_->Read("manifest.jsonl", 16 << 20, 2 << 20),
                  IsOkAndHolds(bytes.substr(16 << 20)))
          << method << what;
    }
  }
}

TEST_P(OutputStoreTest, PlaceThatIsNotThereIsNamed) {
  if (!GetParam().in_bucket) return;  // a folder is made
  const auto nowhere =
      OutputPlaces(&s3_).Open("s3://no-such-bucket-here/a", "writer").value();

  for (const absl::Status& status :
       {nowhere->Prepare(""), nowhere->Put("x", "y").status(),
        nowhere->Exists("x").status()}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("no-such-bucket-here")));
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("NoSuchBucket")));
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, OutputStoreTest,
                         ::testing::Values(StoreCase{"Folder", false},
                                           StoreCase{"S3", true}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tessera::storage
