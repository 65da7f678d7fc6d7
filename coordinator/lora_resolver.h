// Which files the LoRA names of one job mean.
#ifndef TESSERA_COORDINATOR_LORA_RESOLVER_H_
#define TESSERA_COORDINATOR_LORA_RESOLVER_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/generation.h"
#include "coordinator/lora.h"

namespace tessera::coordinator {

// Returns the digest that a name means now. Errors: NOT_FOUND.
using LoraLookup =
    std::function<absl::StatusOr<std::string>(const LoraName& name)>;

// Asks the registry for each name once and keeps the answers, so that a push
// in the middle of a submit does not give one job two meanings of a name.
// Memory grows with the names that a job uses. Thread-compatible.
class LoraResolver {
 public:
  explicit LoraResolver(LoraLookup lookup);

  // Replaces the name of `use`, which may be "name@sha256", by the bare name,
  // and fills in the digest. Names in `given` are left as they are, without a
  // digest: every worker has them. Errors: INVALID_ARGUMENT with the reason
  // alone; other errors of the lookup as they are.
  absl::Status Resolve(const absl::flat_hash_set<std::string>& given,
                       LoraUse& use);

  // Returns each version that was resolved so far, once.
  std::vector<LoraPin> pins() const;

 private:
  const LoraLookup lookup_;
  std::map<std::string, LoraPin, std::less<>> resolved_;  // by name as given
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_LORA_RESOLVER_H_
