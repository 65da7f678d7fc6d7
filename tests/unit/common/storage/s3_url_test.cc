#include "common/storage/s3_url.h"

#include <string>

#include "common/storage/output_places.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::storage {
namespace {

using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;

TEST(S3UriTest, BucketAndPrefixAreTakenApart) {
  const auto location = ParseS3Uri("s3://my.bucket-1/a/b c/");
  ASSERT_TRUE(location.ok()) << location.status();
  EXPECT_EQ(location->bucket, "my.bucket-1");
  EXPECT_EQ(location->prefix, "a/b c");
  EXPECT_EQ(KeyOf(*location, "x"), "a/b c/x");
  EXPECT_EQ(ToUri(*location), "s3://my.bucket-1/a/b c");
  EXPECT_EQ(KeyOf(*ParseS3Uri("s3://bucket"), "x"), "x");
  EXPECT_EQ(ToUri(*ParseS3Uri("s3://bucket/")), "s3://bucket");
}

TEST(S3UriTest, NamesThatS3OrAProxyWouldBendAreRefused) {
  for (const std::string bad :
       {"s3://", "s3:///a", "s3://ab", "s3://Bucket/a", "s3://b_c_d/a",
        "s3://-bucket/a", "s3://bucket-/a", "s3://bucket/a//b",
        "s3://bucket/../a", "s3://bucket/a/./b", "s3://bucket//",
        "s3://bucket/a\nb", "s3:/bucket/a", "/bucket"}) {
    EXPECT_THAT(ParseS3Uri(bad), StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
  }
  EXPECT_FALSE(ParseS3Uri("s3://bucket/" + std::string(513, 'a')).ok());
  EXPECT_FALSE(ParseS3Uri("s3://" + std::string(64, 'a')).ok());
}

TEST(S3UrlTest, AddressesBucketsInBothWays) {
  EXPECT_EQ(MakeUrl({"", "eu-west-1", false}, "bucket", "a b/ü", {}),
            "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC");
  EXPECT_EQ(MakeUrl({"http://127.0.0.1:9/", "r", true}, "bucket", "", {}),
            "http://127.0.0.1:9/bucket");
  EXPECT_EQ(MakeUrl({"http://h:9", "r", true}, "bucket", "k+&?",
                    {{"uploads", ""}, {"prefix", "a/b="}}),
            "http://h:9/bucket/k%2B%26%3F?prefix=a%2Fb%3D&uploads=");
}

TEST(NormalOutputTest, EqualPlacesCompareEqual) {
  for (const char* uri : {"/a/b", "/a/b/", "file:///a/b", "/a/./c/../b//"}) {
    EXPECT_THAT(NormalOutput(uri), IsOkAndHolds("/a/b")) << uri;
  }
  EXPECT_THAT(NormalOutput("s3://bucket/a/"), IsOkAndHolds("s3://bucket/a"));
}

TEST(NormalOutputTest, AnythingElseIsRefused) {
  for (const char* uri :
       {"", "a/b", "./a", "file://a", "gs://bucket/a", "/", "s3://b/a"}) {
    EXPECT_THAT(NormalOutput(uri), StatusIs(absl::StatusCode::kInvalidArgument))
        << uri;
  }
}

TEST(ServerFromEnvironmentTest, FollowsTheVariablesOfAws) {
  std::map<std::string, std::string> variables;
  const Environment environment =
      [&](const std::string& name) -> std::optional<std::string> {
    const auto it = variables.find(name);
    if (it == variables.end()) return std::nullopt;
    return it->second;
  };
  EXPECT_EQ(ServerFromEnvironment(environment).region, "us-east-1");
  EXPECT_FALSE(ServerFromEnvironment(environment).path_style);

  variables = {{"AWS_ENDPOINT_URL", "http://a"},
               {"AWS_DEFAULT_REGION", "eu-west-1"}};
  EXPECT_EQ(ServerFromEnvironment(environment).endpoint, "http://a");
  EXPECT_EQ(ServerFromEnvironment(environment).region, "eu-west-1");
  EXPECT_TRUE(ServerFromEnvironment(environment).path_style);

  variables["AWS_ENDPOINT_URL_S3"] = "http://b";
  variables["TESSERA_S3_ADDRESSING"] = "virtual";
  EXPECT_EQ(ServerFromEnvironment(environment).endpoint, "http://b");
  EXPECT_FALSE(ServerFromEnvironment(environment).path_style);
}

}  // namespace
}  // namespace tessera::storage
