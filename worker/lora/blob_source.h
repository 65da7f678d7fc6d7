// Where the node's cache gets the bytes of a LoRA from.
#ifndef TESSERA_WORKER_LORA_BLOB_SOURCE_H_
#define TESSERA_WORKER_LORA_BLOB_SOURCE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace tessera::lora {

// Takes the next bytes of a file. An error ends the fetch, which returns it.
using BlobSink = std::function<absl::Status(std::string_view bytes)>;

// Serves files by the SHA-256 of their bytes. Thread-safe.
class BlobSource {
 public:
  virtual ~BlobSource() = default;

  // Hands the file's bytes from `offset` on to `sink`, in order, and returns
  // when the last one was taken. The bytes are not to be trusted: the caller
  // digests them. NOT_FOUND when the source has no such file, UNAVAILABLE when
  // it cannot be reached now, or the sink's error.
  virtual absl::Status Fetch(const std::string& sha256, int64_t offset,
                             const BlobSink& sink) = 0;

  // Ends fetches, those under way and those to come, with CANCELLED.
  virtual void Stop() = 0;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_BLOB_SOURCE_H_
