#include "worker/holdings_link.h"

#include <utility>

namespace tessera::worker {

HoldingsLink::HoldingsLink(CoordinatorLink& link,
                           std::function<std::vector<std::string>()> held)
    : link_(link), held_(std::move(held)) {}

absl::StatusOr<SynchronizeAnswer> HoldingsLink::Synchronize(
    const SynchronizeCall& call) {
  SynchronizeCall full = call;
  full.held_loras = held_();
  if (full.held_loras.size() > kMostHeldLoras) {
    full.held_loras.resize(kMostHeldLoras);
  }
  return link_.Synchronize(full);
}

absl::Status HoldingsLink::CommitResults(const CommitCall& call) {
  return link_.CommitResults(call);
}

void HoldingsLink::EndIdleCalls() { link_.EndIdleCalls(); }

}  // namespace tessera::worker
