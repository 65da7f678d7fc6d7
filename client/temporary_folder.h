// A private folder that disappears with its owner.
#ifndef TESSERA_CLIENT_TEMPORARY_FOLDER_H_
#define TESSERA_CLIENT_TEMPORARY_FOLDER_H_

#include <string>

#include "absl/status/statusor.h"

namespace tessera::client {

// A folder that only this user may enter; the destructor removes it and what
// it holds. Movable. Thread-compatible.
class TemporaryFolder {
 public:
  // Makes one in TMPDIR (default /tmp). Errors: INTERNAL with the reason.
  static absl::StatusOr<TemporaryFolder> Create();

  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }

  // Returns the path of `name` in the folder.
  std::string File(const std::string& name) const;

  // Leaves the files "*.log" behind when the rest is removed.
  void KeepLogs() { keep_logs_ = true; }

 private:
  explicit TemporaryFolder(std::string path);

  std::string path_;
  bool keep_logs_ = false;
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_TEMPORARY_FOLDER_H_
