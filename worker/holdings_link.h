// Tells the coordinator which LoRAs the node holds.
#ifndef TESSERA_WORKER_HOLDINGS_LINK_H_
#define TESSERA_WORKER_HOLDINGS_LINK_H_

#include <functional>
#include <string>
#include <vector>

#include "worker/coordinator_link.h"

namespace tessera::worker {

// The most digests that the protocol takes.
inline constexpr size_t kMostHeldLoras = 256;

// Creates a decorator for CoordinatorLink that adds to every Synchronize call
// what `held` returns at that moment: at most kMostHeldLoras digests, those
// used last first. `link` must outlive it.
class HoldingsLink final : public CoordinatorLink {
 public:
  HoldingsLink(CoordinatorLink& link,
               std::function<std::vector<std::string>()> held);

  absl::StatusOr<SynchronizeAnswer> Synchronize(
      const SynchronizeCall& call) override;
  // These go to `link` as they are.
  absl::Status CommitResults(const CommitCall& call) override;
  void EndIdleCalls() override;

 private:
  CoordinatorLink& link_;
  const std::function<std::vector<std::string>()> held_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_HOLDINGS_LINK_H_
