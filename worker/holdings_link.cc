#include "worker/holdings_link.h"

#include <utility>

namespace tessera::worker {

HoldingsLink::HoldingsLink(CoordinatorLink& link,
                           std::function<std::vector<std::string>()> held)
    : link_(link), held_(std::move(held)) {}

absl::StatusOr<SynchronizeAnswer> HoldingsLink::Synchronize(
    const SynchronizeCall& call) {
  // Asks anew at each call: other workers of the node fetch and drop files too.
  SynchronizeCall full = call;
  full.held_loras = held_();
  if (full.held_loras.size() > kMostHeldLoras) {
    full.held_loras.resize(kMostHeldLoras);
  }
  return link_.Synchronize(full);
}

// Passes commits on: they do not concern what is held.
absl::Status HoldingsLink::CommitResults(const CommitCall& call) {
  return link_.CommitResults(call);
}

// Passes the end of idle calls on, from any thread.
void HoldingsLink::EndIdleCalls() { link_.EndIdleCalls(); }

}  // namespace tessera::worker
