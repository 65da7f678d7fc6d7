#include "common/storage/s3_answer.h"

#include "common/storage/s3_etag.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::storage {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An error document as S3's reference prints it.
std::string ErrorDocument(const std::string& code) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code +
         "</Code><Message>what &amp; why</Message></Error>";
}

TEST(XmlTest, ElementsComeInOrderAndCutOnesAreLeftOut) {
  const std::string xml = "<L><K>a</K><K>b&amp;lt;</K><K>cut";

  EXPECT_THAT(XmlElements(xml, "K"), ElementsAre("a", "b&amp;lt;"));
  EXPECT_THAT(XmlElements(xml, "M"), IsEmpty());
  EXPECT_EQ(XmlText("<K>&lt;a&gt; &quot;b&quot; &amp;lt;</K>", "K"),
            "<a> \"b\" &lt;");
  EXPECT_EQ(XmlText(xml, "M"), "");
}

// The table of S3's API reference, "Error responses".
TEST(S3StatusTest, CodesMeanWhatS3SaysOfThem) {
  const struct {
    int http;
    const char* code;
    absl::StatusCode meaning;
  } cases[] = {
      {404, "NoSuchKey", absl::StatusCode::kNotFound},
      {404, "NoSuchUpload", absl::StatusCode::kNotFound},
      {404, "NoSuchBucket", absl::StatusCode::kFailedPrecondition},
      {301, "PermanentRedirect", absl::StatusCode::kFailedPrecondition},
      {403, "AccessDenied", absl::StatusCode::kPermissionDenied},
      {403, "InvalidAccessKeyId", absl::StatusCode::kPermissionDenied},
      {403, "SignatureDoesNotMatch", absl::StatusCode::kPermissionDenied},
      {400, "ExpiredToken", absl::StatusCode::kUnavailable},
      {400, "RequestTimeout", absl::StatusCode::kUnavailable},
      {503, "SlowDown", absl::StatusCode::kUnavailable},
      {429, "TooManyRequests", absl::StatusCode::kUnavailable},
      {500, "InternalError", absl::StatusCode::kUnavailable},
      {416, "InvalidRange", absl::StatusCode::kOutOfRange},
      {507, "XMinioStorageFull", absl::StatusCode::kResourceExhausted},
      {400, "InvalidArgument", absl::StatusCode::kInvalidArgument},
  };
  for (const auto& c : cases) {
    const HttpAnswer answer{c.http, {}, ErrorDocument(c.code)};

    EXPECT_THAT(
        StatusOf(answer, "cannot put s3://b/k"),
        StatusIs(c.meaning, AllOf(HasSubstr("cannot put s3://b/k: "),
                                  HasSubstr(c.code), HasSubstr("what & why"))))
        << c.code;
  }
}

TEST(S3StatusTest, ErrorBehindAGoodHeadIsAnError) {
  EXPECT_THAT(StatusOf({200, {}, ErrorDocument("InternalError")}, "x"),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(StatusOf({204, {}, ""}, "x"), IsOk());
}

TEST(S3StatusTest, AnswersWithoutADocumentTellTheirStatus) {
  EXPECT_THAT(StatusOf({502, {}, "<html>proxy</html>"}, "x"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("502")));
  EXPECT_THAT(
      StatusOf({301, {{"x-amz-bucket-region", "eu-west-1"}}, ""}, "x"),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("eu-west-1")));
}

// By hand: printf '%s%s' MD5 MD5 | xxd -r -p | md5sum, of the MD5s of "" and
// "a".
TEST(S3EtagTest, CompositeIsTheDigestOfDigests) {
  EXPECT_EQ(CompositeEtag({"d41d8cd98f00b204e9800998ecf8427e",
                           "0cc175b9c0f1b6a831c399e269772661"}),
            "68083ea43d0307eecfa2b4749f19df15-2");
  EXPECT_EQ(CompositeEtag({"not-an-md5"}), "");
}

}  // namespace
}  // namespace tessera::storage
