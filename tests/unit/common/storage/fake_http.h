// A server that answers what a test wants.
#ifndef TESSERA_TESTS_UNIT_COMMON_STORAGE_FAKE_HTTP_H_
#define TESSERA_TESTS_UNIT_COMMON_STORAGE_FAKE_HTTP_H_

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "common/storage/http.h"

namespace tessera::storage {

// Gives the queued answers in order, the last one for ever, and keeps the
// requests. For one thread.
class FakeHttp final : public Http {
 public:
  // Queues an answer.
  void Answer(int status, std::string body = "",
              std::map<std::string, std::string> headers = {}) {
    answers_.push_back(HttpAnswer{status, std::move(headers), std::move(body)});
  }
  // Queues a connection that breaks.
  void Break() { answers_.push_back(absl::UnavailableError("broken pipe")); }

  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) override {
    requests.push_back(request);
    bodies.emplace_back(request.body);
    if (answers_.empty()) return absl::InternalError("no answer is left");
    absl::StatusOr<HttpAnswer> answer = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    return answer;
  }

  std::vector<HttpRequest> requests;  // their bodies may be gone
  std::vector<std::string> bodies;

 private:
  std::deque<absl::StatusOr<HttpAnswer>> answers_;
};

}  // namespace tessera::storage

#endif  // TESSERA_TESTS_UNIT_COMMON_STORAGE_FAKE_HTTP_H_
