// HTTP requests, signed where they are for S3.
#ifndef TESSERA_COMMON_STORAGE_HTTP_H_
#define TESSERA_COMMON_STORAGE_HTTP_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace tessera::storage {

// What a request is signed with. Never logged.
struct HttpSigner {
  std::string access_key;  // empty: the request is not signed
  std::string secret_key;
  std::string region;
};

struct HttpRequest {
  std::string method = "GET";
  // Complete and percent-encoded, its parameters sorted by name.
  std::string url;
  std::vector<std::string> headers;  // "name: value"
  std::string_view body;             // must live as long as the call
  HttpSigner signer;
  // Longer answers are an error: nothing here needs memory without bound.
  int64_t longest_answer = 64 << 20;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  // Returns the value of a header; empty when it was not sent.
  std::string Header(const std::string& name) const;
};

// Sends requests. Thread-safe.
class Http {
 public:
  virtual ~Http() = default;

  // Sends a request once and returns whatever the server answers. Errors:
  // UNAVAILABLE when there is no whole answer, FAILED_PRECONDITION when the
  // server's certificate is not trusted, INVALID_ARGUMENT for a wrong URL.
  virtual absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) = 0;
};

// Sends them by libcurl, which signs them (AWS Signature Version 4), over
// connections that are kept. A connection that nothing moves on for half a
// minute is given up. Thread-safe.
class CurlHttp final : public Http {
 public:
  CurlHttp();
  ~CurlHttp() override;

  CurlHttp(const CurlHttp&) = delete;
  CurlHttp& operator=(const CurlHttp&) = delete;

  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) override;

 private:
  void* Take();
  void Return(void* handle);

  absl::Mutex mu_;
  // libcurl's handles that no call uses; each keeps its connections.
  std::vector<void*> idle_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_HTTP_H_
