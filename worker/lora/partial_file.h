// A LoRA on its way into the node's cache.
#ifndef TESSERA_WORKER_LORA_PARTIAL_FILE_H_
#define TESSERA_WORKER_LORA_PARTIAL_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sha256.h"
#include "worker/lora/cache_disk.h"
#include "worker/lora/cache_layout.h"
#include "worker/lora/cache_room.h"
#include "worker/lora/file_lock.h"

namespace tessera::lora {

// What a partial file works with; all of it must outlive the file.
struct PartialFileContext {
  const CacheLayout& layout;
  const CacheRoom& room;
  CacheDisk& disk;
  LockWaiter& waiter;
};

// The claim to fetch one digest: the exclusive lock on `<sha256>.partial`, held
// by one process and thread at a time. What a process that died left in it is
// forgotten. The file is removed unless it became an entry or was quarantined.
// Thread-compatible.
class PartialFile {
 public:
  // Waits until nobody else fetches `sha256`. Errors: those of LockWaiter, or
  // errno's code.
  static absl::StatusOr<std::unique_ptr<PartialFile>> Claim(
      const PartialFileContext& context, const std::string& sha256);

  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  // Adds bytes. A full disk drops unused entries and goes on. Errors name the
  // digest, the bytes so far and the folder: RESOURCE_EXHAUSTED when nothing
  // more can be dropped, FAILED_PRECONDITION when the file outgrows the cache.
  absl::Status Append(std::string_view bytes);

  // Gives back the room behind the last byte and returns the digest of what was
  // appended; nothing may be appended after. Errors: errno's code.
  absl::StatusOr<std::string> Finish();

  // Makes the finished file the entry of its digest: flushed, then renamed in
  // one step.
  // Returns it locked shared, so that nobody drops it.
  absl::StatusOr<LockableFile> Publish();

  // Says that the file was moved elsewhere and is not to be removed.
  void Release() { owned_ = false; }

  const std::string& path() const { return file_.path(); }
  int64_t bytes() const { return written_; }

 private:
  PartialFile(const PartialFileContext& context, std::string sha256,
              LockableFile file);
  absl::Status Explain(const absl::Status& status) const;
  absl::Status WriteAll(std::string_view bytes);

  const PartialFileContext context_;
  const std::string sha256_;
  LockableFile file_;
  Sha256Stream digest_;
  int64_t written_ = 0;
  int64_t reserved_ = 0;
  bool owned_ = true;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_PARTIAL_FILE_H_
