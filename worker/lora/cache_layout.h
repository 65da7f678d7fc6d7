// What is where in the folder of the node's LoRA cache.
//
//   <sha256>.safetensors     an entry, whole and flushed; shared lock: in use
//   <sha256>.partial         being fetched by the process that locks it
//   quarantine/<sha256>.safetensors, .reason
//                            what did not have its digest, and why
//   node.lock                held while bytes are counted and files dropped
//
// There is no index: the files are the truth, and the time of their last access
// is when one was used last. Other files in the folder are left alone.
#ifndef TESSERA_WORKER_LORA_CACHE_LAYOUT_H_
#define TESSERA_WORKER_LORA_CACHE_LAYOUT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tessera::lora {

// Says whether `text` is 64 lower-case hexadecimal digits. Nothing else becomes
// part of a path.
bool IsSha256(std::string_view text);

// A file of the cache as the disk shows it.
struct CacheEntry {
  std::string sha256;
  std::string path;
  int64_t bytes = 0;
  int64_t used_ns = 0;  // last use, nanoseconds since the epoch
};

// All files of the cache at one moment; each list begins with what was used
// longest ago, equals by digest.
struct CacheContents {
  std::vector<CacheEntry> entries;
  std::vector<CacheEntry> partials;
  std::vector<CacheEntry> quarantined;

  // Returns what counts against the cache's bound: all three.
  int64_t bytes() const;
};

// Names and lists the files of one cache folder. Immutable; thread-safe.
class CacheLayout {
 public:
  explicit CacheLayout(std::string folder);

  // Makes the folders. Errors: errno's code, naming the folder.
  absl::Status MakeFolders() const;

  // Paths for a digest, for which IsSha256 holds.
  std::string EntryPath(const std::string& sha256) const;
  std::string PartialPath(const std::string& sha256) const;
  std::string QuarantinePath(const std::string& sha256) const;
  std::string ReasonPath(const std::string& sha256) const;

  const std::string& folder() const { return folder_; }
  std::string quarantine_folder() const;
  std::string lock_path() const;

  // Lists what is there. Files that go away meanwhile are not listed. Errors:
  // errno's code when a folder cannot be read.
  absl::StatusOr<CacheContents> List() const;

 private:
  const std::string folder_;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_CACHE_LAYOUT_H_
