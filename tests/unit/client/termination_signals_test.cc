#include "client/termination_signals.h"

#include <csignal>

#include "gtest/gtest.h"

namespace tessera::client {
namespace {

TEST(TerminationSignalsTest, SignalIsWaitedForInsteadOfEndingTheProcess) {
  TerminationSignals signals;

  kill(getpid(), SIGINT);

  EXPECT_EQ(signals.Wait(absl::Seconds(10)), SIGINT);
  EXPECT_EQ(signals.Wait(absl::Milliseconds(1)), std::nullopt);
}

TEST(TerminationSignalsTest, TerminationIsOneOfThem) {
  TerminationSignals signals;

  kill(getpid(), SIGTERM);

  EXPECT_EQ(signals.Wait(absl::Seconds(10)), SIGTERM);
}

TEST(TerminationSignalsTest, MaskIsRestored) {
  { const TerminationSignals signals; }
  sigset_t mask;

  pthread_sigmask(SIG_SETMASK, nullptr, &mask);

  EXPECT_EQ(sigismember(&mask, SIGINT), 0);
}

}  // namespace
}  // namespace tessera::client
