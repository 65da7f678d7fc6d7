// Repeats calls of a service that is away for a while.
#ifndef TESSERA_CLIENT_RETRIER_H_
#define TESSERA_CLIENT_RETRIER_H_

#include <functional>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tessera::client {

// How a client behaves while the coordinator is away.
struct ClientOptions {
  std::string coordinator;  // host:port, for messages
  // How long a call is tried again before it fails, for a service that was
  // never reached.
  absl::Duration patience = absl::Seconds(15);
  // The same, once the service has answered: long enough for a restart.
  absl::Duration patience_after_contact = absl::Minutes(10);
  // Called before each repeat with the reason, so that a person can be told.
  std::function<void(const absl::Status&)> on_retry = nullptr;
};

// Decides whether and when a call is made again. Thread-compatible.
class Retrier {
 public:
  Retrier(ClientOptions options, Clock& clock);

  // Repeats `call` until it ends for good. The function says whether the
  // service answered, which renews the patience. Errors: the call's; once
  // patience ran out its last, with "cannot reach …" before it.
  absl::Status Run(const std::function<absl::Status(bool& answered)>& call);

 private:
  ClientOptions options_;
  Clock& clock_;
  std::minstd_rand random_;
  bool contacted_ = false;
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_RETRIER_H_
