// The file of prompts that a submit sends, readable more than once.
#ifndef TESSERA_CLIENT_PROMPTS_FILE_H_
#define TESSERA_CLIENT_PROMPTS_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::client {

// An open file of prompts. What cannot be read twice (standard input, a pipe)
// or only from afar (an object of a bucket) is first copied into an unnamed
// temporary file, so that a submit can be repeated. Movable. Thread-compatible.
class PromptsFile {
 public:
  // Opens `path`; "-" is standard input, and s3://BUCKET/KEY an object, reached
  // as the environment says. Errors: INVALID_ARGUMENT that names the path when
  // it cannot be read or is a folder; those of the bucket.
  static absl::StatusOr<PromptsFile> Open(const std::string& path);

  PromptsFile(PromptsFile&& other) noexcept;
  PromptsFile& operator=(PromptsFile&& other) noexcept;
  ~PromptsFile();

  // Returns how messages name the file.
  const std::string& name() const { return name_; }

  // Returns a submit's error with the file's name before each line of its
  // message that tells of the file ("line 3: …").
  absl::Status Locate(const absl::Status& error) const;

  // Returns the size in bytes when it was opened.
  int64_t size() const { return size_; }

  // Returns up to `limit` bytes from `offset`; empty at the end.
  absl::StatusOr<std::string> Read(int64_t offset, int64_t limit) const;

 private:
  PromptsFile(std::string name, int descriptor, int64_t size);

  std::string name_;
  int descriptor_;
  int64_t size_;
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_PROMPTS_FILE_H_
