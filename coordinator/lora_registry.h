// Which file each LoRA's name means, and which of them jobs still need.
#ifndef TESSERA_COORDINATOR_LORA_REGISTRY_H_
#define TESSERA_COORDINATOR_LORA_REGISTRY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/lora.h"

namespace tessera::coordinator {

// The rows of the store in memory, with the rules of names and versions; it
// touches neither files nor the store. Every method takes time that grows with
// the logarithm of the number of names, or with its answer. Thread-compatible.
class LoraRegistry {
 public:
  // Replaces the contents, uses included, by `loras`.
  void Load(const std::vector<Lora>& loras);

  // --- Reading ---

  // Returns the version that `name` means, or null.
  const Lora* Find(const LoraName& name) const;

  // As Find, never null. Errors: NOT_FOUND.
  absl::StatusOr<const Lora*> Get(const LoraName& name) const;

  // Returns any version with this file, or null.
  const Lora* FindFile(const std::string& sha256) const;

  // Returns the newest version of each of the first `limit` names that come
  // after the name `after`.
  std::vector<const Lora*> List(const std::string& after, int64_t limit) const;

  // Returns how many names there are.
  int64_t names() const { return static_cast<int64_t>(names_.size()); }

  // Returns the bytes of all files, each counted once.
  int64_t bytes() const { return bytes_; }

  // --- Changing ---

  // Makes `lora` what its name means from now on and returns it with its new
  // number. Its create_time is `now`, unless the version is there already. One
  // that is the newest already is left as it is.
  const Lora& Put(Lora lora, absl::Time now);

  // Returns the versions that deleting `name` would remove: all of a bare
  // name's, or the one. Errors: NOT_FOUND; FAILED_PRECONDITION when an
  // unfinished job uses one of them.
  absl::StatusOr<std::vector<LoraPin>> CheckDelete(const LoraName& name) const;

  // Removes a version, which must be there.
  void Remove(const LoraPin& version);

  // --- Uses by unfinished jobs ---

  // Counts one more, or one less, unfinished job that uses a version.
  void Use(const LoraPin& version);
  void Release(const LoraPin& version);

  // Returns whether an unfinished job uses the version.
  bool InUse(const LoraPin& version) const { return uses_.contains(version); }

 private:
  using Versions = std::map<int64_t, Lora>;  // by number: the newest is last

  const Lora& Insert(Lora lora);

  std::map<std::string, Versions> names_;          // none is without versions
  absl::flat_hash_map<LoraPin, int64_t> numbers_;  // of each version
  std::set<std::pair<std::string, std::string>> files_;  // (digest, name)
  absl::flat_hash_map<LoraPin, int64_t> uses_;           // none is 0
  int64_t last_number_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_LORA_REGISTRY_H_
