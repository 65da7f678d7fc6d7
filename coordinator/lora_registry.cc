#include "coordinator/lora_registry.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Returns the error for a name, or a version of it, that nobody registered.
absl::Status Unknown(const LoraName& name) {
  return absl::NotFoundError(absl::StrCat("unknown LoRA: ", name.name,
                                          name.sha256.empty() ? "" : "@",
                                          name.sha256));
}

}  // namespace

void LoraRegistry::Load(const std::vector<Lora>& loras) {
  names_.clear();
  numbers_.clear();
  files_.clear();
  uses_.clear();
  bytes_ = 0;
  // last_number_ is kept: after a failed commit numbers go on growing.
  // Rows of any order will do: versions are kept by number.
  for (const Lora& lora : loras) {
    last_number_ = std::max(last_number_, lora.number);
    Insert(lora);
  }
}

// Adds a version that is not there.
const Lora& LoraRegistry::Insert(Lora lora) {
  const LoraPin version{lora.name, lora.sha256};
  // The first name of a file brings its bytes, further names cost nothing.
  if (FindFile(lora.sha256) == nullptr) bytes_ += lora.size_bytes;
  files_.insert({lora.sha256, lora.name});
  numbers_[version] = lora.number;
  Versions& versions = names_[lora.name];
  const int64_t number = lora.number;
  return versions.insert_or_assign(number, std::move(lora)).first->second;
}

const Lora* LoraRegistry::Find(const LoraName& name) const {
  const auto it = names_.find(name.name);
  if (it == names_.end()) return nullptr;
  // Never empty: the last version takes the name with it.
  if (name.sha256.empty()) return &it->second.rbegin()->second;
  const auto number = numbers_.find(LoraPin{name.name, name.sha256});
  return number == numbers_.end() ? nullptr : &it->second.at(number->second);
}

absl::StatusOr<const Lora*> LoraRegistry::Get(const LoraName& name) const {
  const Lora* const found = Find(name);
  if (found != nullptr) return found;
  return Unknown(name);
}

const Lora* LoraRegistry::FindFile(const std::string& sha256) const {
  // The empty name sorts before every other, so this is the digest's first.
  const auto it = files_.lower_bound({sha256, std::string()});
  if (it == files_.end() || it->first != sha256) return nullptr;
  return Find({it->second, sha256});
}

std::vector<const Lora*> LoraRegistry::List(const std::string& after,
                                            int64_t limit) const {
  std::vector<const Lora*> loras;
  // Goes on behind a name whether or not it still exists, so a page is never
  // shown twice and no name is skipped while others come and go.
  for (auto it = names_.upper_bound(after);
       it != names_.end() && static_cast<int64_t>(loras.size()) < limit; ++it) {
    loras.push_back(&it->second.rbegin()->second);
  }
  return loras;
}

const Lora& LoraRegistry::Put(Lora lora, absl::Time now) {
  lora.create_time = now;
  // A client that repeats a push whose answer was lost ends here.
  const Lora* const same = Find({lora.name, lora.sha256});
  if (same != nullptr) {
    if (same == Find({lora.name, std::string()})) return *same;
    // An older version is pushed again: it becomes the newest, as the same
    // thing with a new number.
    lora.create_time = same->create_time;
    Remove({lora.name, lora.sha256});
  }
  lora.number = ++last_number_;
  return Insert(std::move(lora));
}

absl::StatusOr<std::vector<LoraPin>> LoraRegistry::CheckDelete(
    const LoraName& name) const {
  RETURN_IF_ERROR(Get(name).status());
  std::vector<LoraPin> versions;
  for (const auto& [number, lora] : names_.at(name.name)) {
    if (!name.sha256.empty() && lora.sha256 != name.sha256) continue;
    versions.push_back({lora.name, lora.sha256});
    // All or nothing: half a name would be harder to understand than a refusal.
    if (InUse(versions.back())) {
      return absl::FailedPreconditionError(absl::StrCat(
          "LoRA is used by an unfinished job: ", lora.name, "@", lora.sha256));
    }
  }
  return versions;
}

void LoraRegistry::Remove(const LoraPin& version) {
  // Callers remove what CheckDelete, or Find, has just returned.
  const auto number = numbers_.find(version);
  CHECK(number != numbers_.end());
  const auto name = names_.find(version.name);
  const auto row = name->second.find(number->second);
  const int64_t size = row->second.size_bytes;
  name->second.erase(row);
  if (name->second.empty()) names_.erase(name);
  numbers_.erase(number);
  files_.erase({version.sha256, version.name});
  // The last name of a file takes its bytes along.
  if (FindFile(version.sha256) == nullptr) bytes_ -= size;
}

void LoraRegistry::Use(const LoraPin& version) { ++uses_[version]; }

void LoraRegistry::Release(const LoraPin& version) {
  // Each release has its use: jobs keep a list of what they were promised.
  const auto it = uses_.find(version);
  CHECK(it != uses_.end());
  if (--it->second == 0) uses_.erase(it);
}

}  // namespace tessera::coordinator
