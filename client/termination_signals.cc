#include "client/termination_signals.h"

#include <ctime>

namespace tessera::client {

TerminationSignals::TerminationSignals() {
  sigemptyset(&awaited_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&awaited_, signal);
  }
  // Threads made later inherit the mask, so a signal waits for Wait and no
  // handler interrupts anything.
  pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
}

TerminationSignals::~TerminationSignals() {
  // Whatever was blocked before stays blocked.
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> TerminationSignals::Wait(absl::Duration limit) {
  const timespec timeout = absl::ToTimespec(limit);
  // Takes a signal that is pending already, also one from before the call.
  const int signal = sigtimedwait(&awaited_, nullptr, &timeout);
  // Time is over, or another signal's handler ran; the caller asks again.
  if (signal < 0) return std::nullopt;
  return signal;
}

}  // namespace tessera::client
