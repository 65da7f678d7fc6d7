// A file in memory, mapped and read-only.
#ifndef TESSERA_WORKER_MODEL_MAPPED_FILE_H_
#define TESSERA_WORKER_MODEL_MAPPED_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tessera::model {

// Owns a mapping. Pages are read when touched. Move-only; the bytes stay where
// they are when it moves.
class MappedFile {
 public:
  // Maps `path`. Errors: those of open(2), such as NOT_FOUND and
  // PERMISSION_DENIED, or INVALID_ARGUMENT for something that is not a regular
  // file; all name the path.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  // Returns the contents, valid while a mapping is owned.
  std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile(const char* data, size_t size) : data_(data), size_(size) {}

  // Null for an empty file, which is not mapped.
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_MAPPED_FILE_H_
