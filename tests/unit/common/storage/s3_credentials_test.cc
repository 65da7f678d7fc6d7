#include "common/storage/s3_credentials.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/common/storage/fake_http.h"

namespace tessera::storage {
namespace {

using ::tessera::testing::StatusIs;
using ::tessera::testing::WriteText;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class S3CredentialsTest : public ::testing::Test {
 protected:
  absl::StatusOr<S3Credentials> Get() { return source_.Get(); }

  // The answer of STS, as its reference prints it.
  std::string StsAnswer(const std::string& key, const std::string& expiry) {
    return "<AssumeRoleWithWebIdentityResponse><Credentials><SessionToken>tok"
           "</SessionToken><SecretAccessKey>sec</SecretAccessKey><Expiration>" +
           expiry + "</Expiration><AccessKeyId>" + key +
           "</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResponse>";
  }

  std::string Format(absl::Time time) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
  }

  testing::TemporaryFolder folder_;
  testing::FakeClock clock_;
  FakeHttp http_;
  std::map<std::string, std::string> variables_;
  S3CredentialSource source_{
      [this](const std::string& name) -> std::optional<std::string> {
        const auto it = variables_.find(name);
        if (it == variables_.end()) return std::nullopt;
        return it->second;
      },
      "eu-west-1", http_, clock_};
};

TEST_F(S3CredentialsTest, EnvironmentComesFirst) {
  variables_ = {{"AWS_ACCESS_KEY_ID", "id"},
                {"AWS_SECRET_ACCESS_KEY", "secret"},
                {"AWS_SESSION_TOKEN", "token"},
                {"AWS_WEB_IDENTITY_TOKEN_FILE", "/none"}};

  const auto found = Get();

  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->access_key, "id");
  EXPECT_EQ(found->secret_key, "secret");
  EXPECT_EQ(found->token, "token");
}

TEST_F(S3CredentialsTest, ProfileOfTheSharedFile) {
  WriteText(folder_ / "credentials",
            "# mine\n[default]\naws_access_key_id=a\n"
            "aws_secret_access_key = b\n\n[other]\naws_access_key_id = c\r\n"
            "aws_secret_access_key=d=e\naws_session_token= f\n[half]\n"
            "aws_access_key_id = g\n");
  variables_ = {{"AWS_SHARED_CREDENTIALS_FILE", folder_ / "credentials"}};
  EXPECT_EQ(Get()->access_key, "a");
  EXPECT_EQ(Get()->secret_key, "b");

  variables_["AWS_PROFILE"] = "other";
  source_.Forget();
  EXPECT_EQ(Get()->access_key, "c");
  EXPECT_EQ(Get()->secret_key, "d=e");
  EXPECT_EQ(Get()->token, "f");

  for (const char* profile : {"half", "none"}) {
    variables_["AWS_PROFILE"] = profile;
    source_.Forget();
    EXPECT_THAT(Get(),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr(profile), HasSubstr("credentials"),
                               Not(HasSubstr("d=e")))));
  }
}

TEST_F(S3CredentialsTest, NoneIsAnErrorThatSaysWhereItLooked) {
  variables_ = {{"HOME", folder_.path()}};

  EXPECT_THAT(Get(), StatusIs(absl::StatusCode::kFailedPrecondition,
                              AllOf(HasSubstr("AWS_ACCESS_KEY_ID"),
                                    HasSubstr(".aws/credentials"))));
}

TEST_F(S3CredentialsTest, PodTokenIsExchangedAndRenewedBeforeItExpires) {
  WriteText(folder_ / "token", "jwt+1\n");
  variables_ = {{"AWS_WEB_IDENTITY_TOKEN_FILE", folder_ / "token"},
                {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"}};
  http_.Answer(200, StsAnswer("one", Format(clock_.Now() + absl::Hours(1))));
  http_.Answer(200, StsAnswer("two", Format(clock_.Now() + absl::Hours(2))));

  EXPECT_EQ(Get()->access_key, "one");
  EXPECT_EQ(Get()->token, "tok");
  clock_.Advance(absl::Minutes(54));
  EXPECT_EQ(Get()->access_key, "one");
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(Get()->access_key, "two");

  ASSERT_EQ(http_.requests.size(), 2u);
  EXPECT_EQ(http_.requests[0].url, "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_TRUE(http_.requests[0].signer.access_key.empty());
  EXPECT_THAT(http_.bodies[0],
              AllOf(HasSubstr("Action=AssumeRoleWithWebIdentity"),
                    HasSubstr("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"),
                    HasSubstr("WebIdentityToken=jwt%2B1")));
}

TEST_F(S3CredentialsTest, RefusedTokenNamesTheRoleAndNotTheToken) {
  WriteText(folder_ / "token", "secret-jwt");
  variables_ = {{"AWS_WEB_IDENTITY_TOKEN_FILE", folder_ / "token"},
                {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"}};
  http_.Answer(403, "<Error><Code>AccessDenied</Code></Error>");

  EXPECT_THAT(Get(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr("role/r"), HasSubstr("AccessDenied"),
                             Not(HasSubstr("secret-jwt")))));
}

}  // namespace
}  // namespace tessera::storage
