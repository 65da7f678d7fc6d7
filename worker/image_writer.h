// Files that are whole or not there at all.
#ifndef TESSERA_WORKER_IMAGE_WRITER_H_
#define TESSERA_WORKER_IMAGE_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::worker {

// Writes the pictures of one lease below an output folder. A picture gets its
// name only when all of its bytes are on the disk: it is written to
// .tessera-tmp/WORKER/, flushed, renamed, and its folder is flushed. A crash
// leaves at most a file in .tessera-tmp, which nothing names.
// Thread-compatible.
class ImageWriter {
 public:
  // Creates the folders that the lease needs below `output_folder`. `worker`
  // is a file name that no other running process uses. Errors: as Write.
  static absl::StatusOr<std::unique_ptr<ImageWriter>> Create(
      const std::string& output_folder, const std::string& worker,
      int64_t shard_index);

  // Removes the lease's temporary folder.
  ~ImageWriter();

  // Writes `bytes` durably to `path`, relative to the output folder, over any
  // earlier file, and returns their SHA-256 in hexadecimal. Errors:
  // RESOURCE_EXHAUSTED when the disk or quota is full, PERMISSION_DENIED,
  // NOT_FOUND when the folders were removed meanwhile, or another code of the
  // failed system call; the message names the call and the file.
  absl::StatusOr<std::string> Write(const std::string& path,
                                    std::string_view bytes);

 private:
  ImageWriter(std::string output_folder, std::string temporary_folder);

  // Absolute, without a slash at its end.
  const std::string output_folder_;
  const std::string temporary_folder_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_IMAGE_WRITER_H_
