// Ctrl-C and SIGTERM as something a loop can wait for.
#ifndef TESSERA_CLIENT_TERMINATION_SIGNALS_H_
#define TESSERA_CLIENT_TERMINATION_SIGNALS_H_

#include <csignal>
#include <optional>

#include "absl/time/time.h"

namespace tessera::client {

// Blocks SIGINT, SIGTERM and SIGHUP while it lives, so that they can be waited
// for instead. Make it before any thread is started; threads made later
// inherit the mask. One a process. Thread-compatible.
class TerminationSignals {
 public:
  TerminationSignals();
  ~TerminationSignals();
  TerminationSignals(const TerminationSignals&) = delete;
  TerminationSignals& operator=(const TerminationSignals&) = delete;

  // Waits at most `limit` of real time. Returns the signal that came.
  std::optional<int> Wait(absl::Duration limit);

 private:
  sigset_t awaited_;
  sigset_t before_;
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_TERMINATION_SIGNALS_H_
