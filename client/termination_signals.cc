#include "client/termination_signals.h"

#include <ctime>

namespace tessera::client {

TerminationSignals::TerminationSignals() {
  sigemptyset(&awaited_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&awaited_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
}

TerminationSignals::~TerminationSignals() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> TerminationSignals::Wait(absl::Duration limit) {
  const timespec timeout = absl::ToTimespec(limit);
  const int signal = sigtimedwait(&awaited_, nullptr, &timeout);
  if (signal < 0) return std::nullopt;
  return signal;
}

}  // namespace tessera::client
