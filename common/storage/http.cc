#include "common/storage/http.h"

#include <curl/curl.h>

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tessera::storage {
namespace {

// A server that is there accepts at once, also across an ocean.
constexpr long kConnectSeconds = 5;
// Nothing moves for so long: the other side is gone without a word.
constexpr long kStallSeconds = 30;
// Large bodies wait so long for a server's leave ("100 Continue"), which S3
// gives at once and others may not know.
constexpr long kContinueMilliseconds = 200;
// Handles kept for later: as many as one process has calls at a time.
constexpr size_t kMostIdle = 16;

using HeaderList = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

// What an answer is collected in, and how much may come.
struct Collector {
  HttpAnswer answer;
  size_t longest = 0;
  bool too_long = false;
};

// Takes bytes of a body; fewer than came end the transfer.
size_t TakeBody(char* bytes, size_t size, size_t count, void* target) {
  auto& collector = *static_cast<Collector*>(target);
  const size_t length = size * count;
  if (collector.answer.body.size() + length > collector.longest) {
    collector.too_long = true;
    return 0;
  }
  collector.answer.body.append(bytes, length);
  return length;
}

// Takes one line of the head; a later head (after "100 Continue") replaces.
size_t TakeHeader(char* bytes, size_t size, size_t count, void* target) {
  auto& headers = static_cast<Collector*>(target)->answer.headers;
  const std::string line(bytes, size * count);
  if (line.starts_with("HTTP/")) headers.clear();
  const size_t colon = line.find(':');
  if (colon != std::string::npos) {
    headers[absl::AsciiStrToLower(line.substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return size * count;
}

// Returns the status of a transfer that did not end well.
absl::Status TransferError(CURLcode code, const std::string& what) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return absl::FailedPreconditionError(what);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(what);
    // A connection that was cut, refused or stalled may be better next time.
    default:
      return absl::UnavailableError(what);
  }
}

// Has libcurl sign the request; the service's name is S3's.
void Sign(CURL* curl, const HttpSigner& signer) {
  const std::string scheme = absl::StrCat("aws:amz:", signer.region, ":s3");
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, scheme.c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, signer.access_key.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, signer.secret_key.c_str());
}

// Sets what is the same for all requests.
void SetCommon(CURL* curl, Collector& collector, char* error) {
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, kContinueMilliseconds);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "tessera/" TESSERA_VERSION);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &collector);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &collector);
}

// Sets the method and the body that goes with it.
void SetMethod(CURL* curl, const HttpRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    // Not copied; "" where there are no bytes, as null would mean a callback.
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                     request.body.empty() ? "" : request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

// Copies the headers into libcurl's list.
HeaderList MakeHeaders(const HttpRequest& request) {
  // Only what is sent: libcurl 7.88 also signs a header that is taken away by
  // an empty value, which no server can follow.
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) {
    list = curl_slist_append(list, header.c_str());
  }
  return HeaderList(list, curl_slist_free_all);
}

}  // namespace

std::string HttpAnswer::Header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

CurlHttp::CurlHttp() {
  // May be called often, and is safe from several threads in this version.
  CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

CurlHttp::~CurlHttp() {
  absl::MutexLock lock(&mu_);
  for (void* handle : idle_) curl_easy_cleanup(handle);
}

absl::StatusOr<HttpAnswer> CurlHttp::Send(const HttpRequest& request) {
  CURL* const curl = Take();
  Collector collector;
  collector.longest = static_cast<size_t>(request.longest_answer);
  char error[CURL_ERROR_SIZE] = {};
  SetCommon(curl, collector, error);
  SetMethod(curl, request);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  const HeaderList headers = MakeHeaders(request);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  if (!request.signer.access_key.empty()) Sign(curl, request.signer);

  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  Return(curl);
  if (collector.too_long) {
    return absl::OutOfRangeError(absl::StrCat(
        "the answer is longer than ", request.longest_answer, " bytes"));
  }
  if (code != CURLE_OK) {
    // The buffer has details that the code's own text has not.
    return TransferError(code,
                         error[0] != '\0' ? error : curl_easy_strerror(code));
  }
  collector.answer.status = static_cast<int>(status);
  return std::move(collector.answer);
}

// Returns a handle without settings; one that was used has connections.
void* CurlHttp::Take() {
  absl::MutexLock lock(&mu_);
  if (idle_.empty()) {
    CURL* const made = curl_easy_init();
    CHECK(made != nullptr);
    return made;
  }
  void* const handle = idle_.back();
  idle_.pop_back();
  return handle;
}

// Forgets the settings, secrets among them, and keeps the connections.
void CurlHttp::Return(void* handle) {
  curl_easy_reset(handle);
  absl::MutexLock lock(&mu_);
  if (idle_.size() < kMostIdle) {
    idle_.push_back(handle);
  } else {
    curl_easy_cleanup(handle);
  }
}

}  // namespace tessera::storage
