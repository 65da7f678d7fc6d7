#include "client/retrier.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/retry.h"

namespace tessera::client {

Retrier::Retrier(ClientOptions options, Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      random_(std::random_device()()) {}

absl::Status Retrier::Run(
    const std::function<absl::Status(bool& answered)>& call) {
  // When somebody last heard of the service, or began to ask.
  absl::Time last_answer = clock_.Now();
  for (int attempt = 1;; ++attempt) {
    bool answered = false;
    // A refusal is an answer as well: the service is there.
    const absl::Status status = call(answered);
    contacted_ = contacted_ || answered || !IsTransient(status);
    if (!IsTransient(status)) return status;
    // Progress was made, so the delays start from the shortest again.
    if (answered) {
      attempt = 1;
      last_answer = clock_.Now();
    }
    // Before the first contact an address is probably wrong and a person waits;
    // after it the coordinator is probably restarting and the job goes on.
    const absl::Duration patience =
        contacted_
            ? std::max(options_.patience_after_contact, options_.patience)
            : options_.patience;
    // Compared before the pause, so that no patience means one try only.
    if (clock_.Now() - last_answer >= patience) {
      return absl::Status(
          status.code(),
          absl::StrCat("cannot reach the coordinator at ", options_.coordinator,
                       ": ", std::string(status.message())));
    }
    if (options_.on_retry) options_.on_retry(status);
    // Spreads clients that lost the same coordinator.
    const double jitter = std::uniform_real_distribution<double>(0, 1)(random_);
    Pause(clock_, RetryDelay(attempt, jitter));
  }
}

}  // namespace tessera::client
