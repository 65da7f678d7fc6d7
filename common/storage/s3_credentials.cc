#include "common/storage/s3_credentials.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "common/storage/s3_answer.h"
#include "common/storage/s3_url.h"

namespace tessera::storage {
namespace {

// What is left of their life when new ones are fetched: longer than a transfer.
constexpr absl::Duration kRenewBefore = absl::Minutes(5);

// Reads a small file whole.
absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.good()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot read file: ", path));
  }
  return text.str();
}

}  // namespace

absl::StatusOr<S3Credentials> ParseCredentials(std::string_view file,
                                               const std::string& profile) {
  S3Credentials found;
  bool inside = false;
  bool any = false;
  for (const auto& raw : absl::StrSplit(std::string(file), '\n')) {
    const std::string line(absl::StripAsciiWhitespace(raw));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      inside = line == absl::StrCat("[", profile, "]");
      any = any || inside;
      continue;
    }
    const size_t equals = line.find('=');
    if (!inside || equals == std::string::npos) continue;
    const std::string name(absl::StripAsciiWhitespace(line.substr(0, equals)));
    const std::string value(
        absl::StripAsciiWhitespace(line.substr(equals + 1)));
    if (name == "aws_access_key_id") found.access_key = value;
    if (name == "aws_secret_access_key") found.secret_key = value;
    if (name == "aws_session_token") found.token = value;
  }
  if (!any) return absl::NotFoundError(absl::StrCat("no profile: ", profile));
  if (found.access_key.empty() || found.secret_key.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "aws_access_key_id or aws_secret_access_key is missing in profile: ",
        profile));
  }
  return found;
}

S3CredentialSource::S3CredentialSource(Environment environment,
                                       std::string region, Http& http,
                                       Clock& clock)
    : environment_(std::move(environment)),
      region_(std::move(region)),
      http_(http),
      clock_(clock) {}

absl::StatusOr<S3Credentials> S3CredentialSource::Get() {
  absl::MutexLock lock(&mu_);
  if (!holds_ || held_.expiry - kRenewBefore <= clock_.Now()) {
    ASSIGN_OR_RETURN(held_, Find());
    holds_ = true;
  }
  return held_;
}

void S3CredentialSource::Forget() {
  absl::MutexLock lock(&mu_);
  holds_ = false;
}

// Returns a variable's value; empty when it is not set.
std::string S3CredentialSource::Variable(const std::string& name) const {
  return environment_(name).value_or("");
}

// Goes through the places in order; the first that is set up decides.
absl::StatusOr<S3Credentials> S3CredentialSource::Find() {
  S3Credentials found;
  found.access_key = Variable("AWS_ACCESS_KEY_ID");
  found.secret_key = Variable("AWS_SECRET_ACCESS_KEY");
  found.token = Variable("AWS_SESSION_TOKEN");
  if (!found.access_key.empty() && !found.secret_key.empty()) return found;
  const std::string token_file = Variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!token_file.empty()) return AssumeRole(token_file);
  return ReadShared();
}

// Exchanges the pod's token for credentials. The call is not signed: the token
// is what proves who calls.
absl::StatusOr<S3Credentials> S3CredentialSource::AssumeRole(
    const std::string& token_file) {
  // Read each time: the kubelet renews the file.
  ASSIGN_OR_RETURN(const std::string token, ReadFile(token_file));
  std::string endpoint = Variable("AWS_ENDPOINT_URL_STS");
  if (endpoint.empty()) endpoint = Variable("AWS_ENDPOINT_URL");
  if (endpoint.empty()) {
    endpoint = absl::StrCat("https://sts.", region_, ".amazonaws.com");
  }
  std::string name = Variable("AWS_ROLE_SESSION_NAME");
  if (name.empty()) name = "tessera";
  const std::string body = absl::StrCat(
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=",
      PercentEncode(Variable("AWS_ROLE_ARN"), false),
      "&RoleSessionName=", PercentEncode(name, false), "&WebIdentityToken=",
      PercentEncode(std::string(absl::StripAsciiWhitespace(token)), false));
  HttpRequest request;
  request.method = "POST";
  request.url = absl::StrCat(endpoint, "/");
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = body;
  ASSIGN_OR_RETURN(const HttpAnswer answer, http_.Send(request));
  RETURN_IF_ERROR(StatusOf(
      answer, absl::StrCat("cannot assume the role ", Variable("AWS_ROLE_ARN"),
                           " at ", endpoint)));
  S3Credentials found;
  found.access_key = XmlText(answer.body, "AccessKeyId");
  found.secret_key = XmlText(answer.body, "SecretAccessKey");
  found.token = XmlText(answer.body, "SessionToken");
  std::string problem;
  if (found.access_key.empty() ||
      !absl::ParseTime(absl::RFC3339_full, XmlText(answer.body, "Expiration"),
                       &found.expiry, &problem)) {
    return absl::UnavailableError(absl::StrCat(
        "the service STS answers without credentials: ", endpoint));
  }
  return found;
}

// Reads the file of shared credentials.
absl::StatusOr<S3Credentials> S3CredentialSource::ReadShared() {
  std::string path = Variable("AWS_SHARED_CREDENTIALS_FILE");
  if (path.empty()) path = absl::StrCat(Variable("HOME"), "/.aws/credentials");
  std::string profile = Variable("AWS_PROFILE");
  if (profile.empty()) profile = "default";
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "no S3 credentials: AWS_ACCESS_KEY_ID and AWS_WEB_IDENTITY_TOKEN_FILE "
        "are not set, and there is no file ",
        path));
  }
  absl::StatusOr<S3Credentials> found = ParseCredentials(*text, profile);
  if (found.ok()) return found;
  return absl::FailedPreconditionError(
      absl::StrCat("no S3 credentials: ", path, ": ",
                   std::string(found.status().message())));
}

}  // namespace tessera::storage
