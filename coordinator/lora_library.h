// The files of registered LoRAs: how they come, are checked and go.
#ifndef TESSERA_COORDINATOR_LORA_LIBRARY_H_
#define TESSERA_COORDINATOR_LORA_LIBRARY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/blob_store.h"
#include "coordinator/coordinator.h"
#include "coordinator/lora.h"

namespace tessera::coordinator {

// Looks at a file before it is accepted. Errors: INVALID_ARGUMENT when it is no
// LoRA or a broken one. Called from several threads at once.
using LoraInspector =
    std::function<absl::StatusOr<LoraFacts>(const std::string& path)>;

// Largest file that is accepted: 16 GiB.
inline constexpr int64_t kMaxLoraBytes = int64_t{16} << 30;

// What an upload announces. `name.sha256` is the digest of the whole file.
struct LoraHeader {
  LoraName name;
  int64_t size_bytes = 0;  // 1 to kMaxLoraBytes
  int64_t offset = 0;      // where the bytes that follow begin
};

// Keeps files and rows in step. A row is written only when its file is durable,
// and a file is removed only when no row needs it; killed in between, a file
// without a row is left, which the next start removes. Thread-safe; methods
// block on the disk.
class LoraLibrary {
 public:
  // Removes files that no row needs, unless the store has no LoRA at all. The
  // references must outlive the library.
  static absl::StatusOr<std::unique_ptr<LoraLibrary>> Open(
      Coordinator& coordinator, BlobStore& blobs, LoraInspector inspector);

  // Returns how many bytes of a file are held, of which a registered one has
  // all: where its next upload goes on.
  absl::StatusOr<int64_t> ReceivedBytes(const std::string& sha256);

  // Registers the file at once when its bytes are held under any name; returns
  // nothing when they have to be sent, of which those before `header.offset`
  // are kept. Errors: INVALID_ARGUMENT for a size that is out of range or not
  // the file's; ABORTED when fewer bytes are held than `header.offset`.
  absl::StatusOr<std::optional<LoraEntry>> Begin(const LoraHeader& header);

  // Takes the next bytes of an upload, which begin at `offset`. Errors:
  // INVALID_ARGUMENT for more than the size that was announced; ABORTED when
  // another upload of the same file took over; RESOURCE_EXHAUSTED.
  absl::Status Append(const LoraHeader& header, int64_t offset,
                      std::string_view bytes);

  // Ends an upload whose last byte was appended before `end`: checks the digest
  // and the file, keeps it and registers it. Errors: INVALID_ARGUMENT for a
  // file that is incomplete, another, or no LoRA (only an incomplete one is
  // kept, to go on); ABORTED when another upload of it took over.
  absl::StatusOr<LoraEntry> Finish(const LoraHeader& header, int64_t end);

  // Forgets a name, or a version, and the files that no other name needs.
  // Errors: those of Coordinator::DeleteLora.
  absl::Status Delete(const LoraName& name);

  // Opens a registered file. Errors: NOT_FOUND.
  absl::StatusOr<std::unique_ptr<BlobReader>> Read(const std::string& sha256);

  // Forgets uploads that nobody went on with for a day; call now and then.
  absl::Status ExpireUploads();

 private:
  // Waits until nobody else changes the file of a digest.
  class Turn;

  LoraLibrary(Coordinator& coordinator, BlobStore& blobs,
              LoraInspector inspector);

  absl::Status Sweep();
  absl::StatusOr<bool> Holds(const std::string& sha256);
  absl::StatusOr<std::optional<LoraEntry>> RegisterHeld(
      const LoraHeader& header);
  absl::StatusOr<LoraFacts> Inspect(const LoraHeader& header);
  absl::StatusOr<LoraEntry> Register(const LoraHeader& header,
                                     const LoraFacts& facts);
  absl::Status RemoveUnneeded(const std::string& sha256);

  Coordinator& coordinator_;
  BlobStore& blobs_;
  const LoraInspector inspector_;

  absl::Mutex mu_;
  // How many calls have or want a turn at a digest, and whether one has it.
  struct Queue {
    int64_t calls = 0;
    bool taken = false;
  };
  std::map<std::string, Queue> queues_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_LORA_LIBRARY_H_
