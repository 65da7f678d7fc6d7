#include "common/storage/s3_client.h"

#include <string>

#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/storage/fake_http.h"

namespace tessera::storage {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;

// What S3 answers when it throttles.
constexpr char kSlowDown[] = "<Error><Code>SlowDown</Code></Error>";

class S3ClientTest : public ::testing::Test {
 protected:
  std::vector<std::string> Methods() {
    std::vector<std::string> methods;
    for (const HttpRequest& request : http_.requests) {
      methods.push_back(request.method);
    }
    return methods;
  }

  testing::FakeClock clock_;
  FakeHttp http_;
  S3CredentialSource credentials_{
      [](const std::string& name) -> std::optional<std::string> {
        if (name == "AWS_ACCESS_KEY_ID") return "id";
        if (name == "AWS_SECRET_ACCESS_KEY") return "hidden";
        return std::nullopt;
      },
      "eu-west-1", http_, clock_};
  S3Client client_{{{"http://h", "eu-west-1", true}, absl::Seconds(20), 1},
                   credentials_,
                   http_,
                   clock_};
  const S3Key key_{"bucket", "a/b"};
  const std::string digest_ = Sha256Hex("bytes");
};

TEST_F(S3ClientTest, PutSendsTheDigestSignedAndAsMetadata) {
  http_.Answer(200);

  ASSERT_THAT(client_.Put(key_, "bytes", digest_), IsOk());

  ASSERT_EQ(http_.requests.size(), 1u);
  EXPECT_EQ(http_.requests[0].url, "http://h/bucket/a/b");
  EXPECT_EQ(http_.bodies[0], "bytes");
  EXPECT_EQ(http_.requests[0].signer.secret_key, "hidden");
  EXPECT_THAT(http_.requests[0].headers,
              AllOf(Contains("x-amz-content-sha256: " + digest_),
                    Contains("x-amz-meta-sha256: " + digest_)));
}

TEST_F(S3ClientTest, ThrottledCallIsRepeatedWithGrowingDelays) {
  const absl::Time start = clock_.Now();
  for (int i = 0; i < 3; ++i) {
    http_.Answer(503, kSlowDown);
    http_.Answer(404);  // is it there? no
  }
  http_.Answer(200);

  EXPECT_THAT(client_.Put(key_, "bytes", digest_), IsOk());

  EXPECT_THAT(clock_.Now() - start,
              AllOf(Ge(absl::Milliseconds(70)), Le(absl::Milliseconds(700))));
}

TEST_F(S3ClientTest, PatienceEndsAndTheErrorNamesKeyAndCode) {
  const absl::Time start = clock_.Now();
  http_.Answer(503, kSlowDown);

  EXPECT_THAT(client_.Get(key_, 0, 10),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("s3://bucket/a/b"),
                             HasSubstr("SlowDown"), Not(HasSubstr("hidden")))));
  EXPECT_THAT(clock_.Now() - start,
              AllOf(Ge(absl::Seconds(14)), Le(absl::Seconds(20))));
}

TEST_F(S3ClientTest, PutWhoseAnswerWasLostIsNotSentAgain) {
  http_.Break();
  http_.Answer(200, "", {{"x-amz-meta-sha256", digest_}});

  EXPECT_THAT(client_.Put(key_, "bytes", digest_), IsOk());

  EXPECT_EQ(Methods(), (std::vector<std::string>{"PUT", "HEAD"}));
}

TEST_F(S3ClientTest, OtherBytesUnderTheKeyArePutOver) {
  http_.Break();
  http_.Answer(200, "", {{"x-amz-meta-sha256", Sha256Hex("older")}});
  http_.Answer(200);

  EXPECT_THAT(client_.Put(key_, "bytes", digest_), IsOk());

  EXPECT_EQ(Methods(), (std::vector<std::string>{"PUT", "HEAD", "PUT"}));
}

TEST_F(S3ClientTest, CompletionWhoseAnswerWasLostIsKnownByItsEtag) {
  // The MD5 of "", and S3's ETag of one such part.
  const std::string part = "d41d8cd98f00b204e9800998ecf8427e";
  http_.Break();
  http_.Answer(404);  // not yet, so it is repeated
  http_.Answer(404, "<Error><Code>NoSuchUpload</Code></Error>");
  http_.Answer(200, "", {{"etag", "\"59adb24ef3cdbe0297f05b395827453f-1\""}});

  EXPECT_THAT(client_.CompleteUpload(key_, "id", {part}), IsOk());
}

TEST_F(S3ClientTest, WrongCredentialsAreNotTriedAgain) {
  http_.Answer(403, "<Error><Code>InvalidAccessKeyId</Code></Error>");

  EXPECT_THAT(client_.Put(key_, "bytes", digest_),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(http_.requests.size(), 1u);
}

TEST_F(S3ClientTest, RangePastTheEndIsEmpty) {
  http_.Answer(416, "<Error><Code>InvalidRange</Code></Error>");

  EXPECT_THAT(client_.Get(key_, 100, 10), IsOkAndHolds(""));
  EXPECT_THAT(http_.requests[0].headers, Contains("Range: bytes=100-109"));
}

TEST_F(S3ClientTest, ServerThatIgnoresRangesIsNotTakenForOneThatHasThem) {
  http_.Answer(200, "everything");

  EXPECT_THAT(client_.Get(key_, 5, 5),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(S3RetryDelayTest, GrowsToABoundAndIsNeverZero) {
  EXPECT_EQ(S3RetryDelay(2, 1), absl::Milliseconds(100));
  EXPECT_EQ(S3RetryDelay(3, 1), absl::Milliseconds(200));
  EXPECT_EQ(S3RetryDelay(1000, 1), absl::Seconds(5));
  EXPECT_EQ(S3RetryDelay(2, 0), absl::Milliseconds(10));
}

}  // namespace
}  // namespace tessera::storage
