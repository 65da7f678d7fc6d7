#include "common/storage/s3_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "common/storage/s3_answer.h"
#include "common/storage/s3_etag.h"

namespace tessera::storage {
namespace {

// Most failures of a busy bucket pass within a moment.
constexpr absl::Duration kFirstDelay = absl::Milliseconds(100);
// Rare enough to let a throttled bucket recover.
constexpr absl::Duration kLongestDelay = absl::Seconds(5);
// What S3 gives at most, and so the fewest calls.
constexpr int kPageSize = 1000;

// Blocks for `duration` of `clock`.
void Pause(Clock& clock, absl::Duration duration) {
  absl::Mutex mu;
  bool never = false;  // a condition that never holds makes a wait a pause
  absl::MutexLock lock(&mu);
  clock.AwaitWithTimeout(mu, absl::Condition(&never), duration);
}

// Takes the quotes off an ETag.
std::string Unquoted(std::string etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    return etag.substr(1, etag.size() - 2);
  }
  return etag;
}

// Reads one <Contents> of a list.
S3Object ParseObject(std::string_view xml) {
  S3Object object;
  object.key = XmlText(xml, "Key");
  // 0 for what is no number: the size is only shown.
  if (!absl::SimpleAtoi(XmlText(xml, "Size"), &object.size)) object.size = 0;
  object.etag = Unquoted(XmlText(xml, "ETag"));
  return object;
}

}  // namespace

absl::Duration S3RetryDelay(int attempt, double jitter) {
  // Limited before the shift, which would overflow.
  const int doublings = std::clamp(attempt - 2, 0, 10);
  const absl::Duration bound =
      std::min(kFirstDelay * (1 << doublings), kLongestDelay);
  // A tenth at least: a random zero would make it a busy loop.
  return bound * (0.1 + 0.9 * jitter);
}

S3Client::S3Client(S3Options options, S3CredentialSource& credentials,
                   Http& http, Clock& clock)
    : options_(std::move(options)),
      credentials_(credentials),
      http_(http),
      clock_(clock),
      random_(options_.jitter_seed) {}

absl::Status S3Client::Put(const S3Key& key, std::string_view bytes,
                           const std::string& sha256) {
  Call call{.method = "PUT", .key = key, .what = "cannot put"};
  call.headers = {"Content-Type: application/octet-stream",
                  absl::StrCat("x-amz-meta-sha256: ", sha256)};
  call.body = bytes;
  call.body_sha256 = sha256;
  call.is_done = [&] {
    const absl::StatusOr<HttpAnswer> head =
        RunOnce({.method = "HEAD", .key = key, .what = "cannot look at"});
    return head.ok() && head->Header("x-amz-meta-sha256") == sha256;
  };
  return Run(call).status();
}

absl::StatusOr<S3Object> S3Client::Head(const S3Key& key) {
  ASSIGN_OR_RETURN(
      const HttpAnswer answer,
      Run({.method = "HEAD", .key = key, .what = "cannot look at"}));
  S3Object object{.key = key.key};
  if (!absl::SimpleAtoi(answer.Header("content-length"), &object.size)) {
    return absl::InvalidArgumentError(
        absl::StrCat("no size of s3://", key.bucket, "/", key.key));
  }
  object.etag = Unquoted(answer.Header("etag"));
  object.sha256 = answer.Header("x-amz-meta-sha256");
  return object;
}

absl::StatusOr<std::string> S3Client::Get(const S3Key& key, int64_t offset,
                                          int64_t limit) {
  Call call{.method = "GET", .key = key, .what = "cannot get"};
  call.headers = {
      absl::StrCat("Range: bytes=", offset, "-", offset + limit - 1)};
  absl::StatusOr<HttpAnswer> answer = Run(call);
  if (absl::IsOutOfRange(answer.status())) return std::string();
  RETURN_IF_ERROR(answer.status());
  // A server without ranges sends everything, from the start.
  if (answer->status == 200 && offset > 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the server ignores ranges: s3://", key.bucket, "/", key.key));
  }
  return std::move(answer->body);
}

absl::StatusOr<S3Page> S3Client::List(const std::string& bucket,
                                      const std::string& prefix,
                                      const std::string& next) {
  Call call{.method = "GET", .key = {bucket, ""}, .what = "cannot list"};
  call.parameters = {{"list-type", "2"},
                     {"max-keys", absl::StrCat(kPageSize)},
                     {"prefix", prefix}};
  if (!next.empty()) call.parameters["continuation-token"] = next;
  ASSIGN_OR_RETURN(const HttpAnswer answer, Run(call));
  S3Page page;
  for (const std::string_view xml : XmlElements(answer.body, "Contents")) {
    page.objects.push_back(ParseObject(xml));
  }
  page.next = XmlText(answer.body, "NextContinuationToken");
  return page;
}

absl::Status S3Client::Delete(const S3Key& key) {
  const absl::Status status =
      Run({.method = "DELETE", .key = key, .what = "cannot delete"}).status();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::string> S3Client::BeginUpload(const S3Key& key) {
  Call call{.method = "POST", .key = key, .what = "cannot begin an upload"};
  call.headers = {"Content-Type: application/octet-stream"};
  call.parameters = {{"uploads", ""}};
  // An upload whose answer was lost is aborted by whoever sweeps the prefix.
  ASSIGN_OR_RETURN(const HttpAnswer answer, Run(call));
  std::string id = XmlText(answer.body, "UploadId");
  if (!id.empty()) return id;
  return absl::UnavailableError(
      absl::StrCat("an upload without an id: s3://", key.bucket, "/", key.key));
}

absl::StatusOr<std::string> S3Client::PutPart(const S3Key& key,
                                              const std::string& id, int number,
                                              std::string_view bytes) {
  Call call{.method = "PUT", .key = key, .what = "cannot put a part"};
  call.headers = {"Content-Type: application/octet-stream"};
  call.parameters = {{"partNumber", absl::StrCat(number)}, {"uploadId", id}};
  call.body = bytes;
  ASSIGN_OR_RETURN(const HttpAnswer answer, Run(call));
  return Unquoted(answer.Header("etag"));
}

absl::Status S3Client::CompleteUpload(const S3Key& key, const std::string& id,
                                      const std::vector<std::string>& etags) {
  std::string body = "<CompleteMultipartUpload>";
  for (size_t i = 0; i < etags.size(); ++i) {
    absl::StrAppend(&body, "<Part><PartNumber>", i + 1, "</PartNumber><ETag>\"",
                    etags[i], "\"</ETag></Part>");
  }
  body += "</CompleteMultipartUpload>";
  const std::string wanted = CompositeEtag(etags);
  const auto is_done = [&] {
    const absl::StatusOr<HttpAnswer> head =
        RunOnce({.method = "HEAD", .key = key, .what = "cannot look at"});
    return head.ok() && !wanted.empty() &&
           Unquoted(head->Header("etag")) == wanted;
  };
  Call call{.method = "POST", .key = key, .what = "cannot complete an upload"};
  call.headers = {"Content-Type: application/xml"};
  call.parameters = {{"uploadId", id}};
  call.body = body;
  call.is_done = is_done;
  const absl::Status status = Run(call).status();
  // The upload is gone when an earlier, unanswered try has completed it.
  if (absl::IsNotFound(status) && is_done()) return absl::OkStatus();
  return status;
}

absl::Status S3Client::AbortUpload(const S3Key& key, const std::string& id) {
  Call call{.method = "DELETE", .key = key, .what = "cannot abort an upload"};
  call.parameters = {{"uploadId", id}};
  const absl::Status status = Run(call).status();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::vector<S3UploadInfo>> S3Client::ListUploads(
    const std::string& bucket, const std::string& prefix) {
  Call call{
      .method = "GET", .key = {bucket, ""}, .what = "cannot list uploads"};
  call.parameters = {{"prefix", prefix}, {"uploads", ""}};
  ASSIGN_OR_RETURN(const HttpAnswer answer, Run(call));
  std::vector<S3UploadInfo> uploads;
  for (const std::string_view xml : XmlElements(answer.body, "Upload")) {
    uploads.push_back({XmlText(xml, "Key"), XmlText(xml, "UploadId")});
  }
  return uploads;
}

// Repeats a call until it ends for good or the patience is used up.
absl::StatusOr<HttpAnswer> S3Client::Run(const Call& call) {
  const absl::Time end = clock_.Now() + options_.patience;
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<HttpAnswer> answer = RunOnce(call);
    if (answer.ok() || !absl::IsUnavailable(answer.status())) return answer;
    // The answer may be all that was lost.
    if (call.is_done != nullptr && call.is_done()) return HttpAnswer();
    const absl::Duration delay = S3RetryDelay(attempt + 1, Jitter());
    if (clock_.Now() + delay > end) return answer;
    // Once a call: what follows is the same again.
    if (attempt == 1) {
      Log(Severity::kWarning, "object storage fails, trying again",
          {{"status", answer.status()}});
    }
    Pause(clock_, delay);
  }
}

// Signs and sends a call once, and judges the answer.
absl::StatusOr<HttpAnswer> S3Client::RunOnce(const Call& call) {
  const std::string what =
      absl::StrCat(call.what, " s3://", call.key.bucket, "/", call.key.key);
  absl::StatusOr<S3Credentials> credentials = credentials_.Get();
  if (!credentials.ok()) {
    return absl::Status(
        credentials.status().code(),
        absl::StrCat(what, ": ", std::string(credentials.status().message())));
  }
  HttpRequest request;
  request.method = call.method;
  S3Server server = options_.server;
  // A certificate for *.s3.amazonaws.com does not fit a name with more dots.
  server.path_style |= call.key.bucket.find('.') != std::string::npos;
  request.url = MakeUrl(server, call.key.bucket, call.key.key, call.parameters);
  request.headers = call.headers;
  // Signed, so that a server that checks signatures checks the bytes too.
  request.headers.push_back(absl::StrCat(
      "x-amz-content-sha256: ",
      call.body_sha256.empty() ? Sha256Hex(call.body) : call.body_sha256));
  if (!credentials->token.empty()) {
    request.headers.push_back(
        absl::StrCat("x-amz-security-token: ", credentials->token));
  }
  request.body = call.body;
  request.signer = {std::move(credentials->access_key),
                    std::move(credentials->secret_key), server.region};
  absl::StatusOr<HttpAnswer> answer = http_.Send(request);
  if (!answer.ok()) {
    return absl::Status(
        answer.status().code(),
        absl::StrCat(what, ": ", std::string(answer.status().message())));
  }
  const absl::Status status = StatusOf(*answer, what);
  if (status.ok()) return answer;
  if (XmlText(answer->body, "Code").starts_with("ExpiredToken")) {
    credentials_.Forget();
  }
  return status;
}

// Draws from [0, 1).
double S3Client::Jitter() {
  absl::MutexLock lock(&mu_);
  return std::uniform_real_distribution<double>(0, 1)(random_);
}

}  // namespace tessera::storage
