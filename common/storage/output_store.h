// The place where a job's files go.
#ifndef TESSERA_COMMON_STORAGE_OUTPUT_STORE_H_
#define TESSERA_COMMON_STORAGE_OUTPUT_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::storage {

// A file of an output, written piece by piece; destroying it without a commit
// leaves nothing that has its name. Thread-compatible.
class OutputFile {
 public:
  virtual ~OutputFile() = default;

  // Appends `bytes`; some of them may be kept in memory, a bounded number.
  virtual absl::Status Append(std::string_view bytes) = 0;

  // Gives the file its name, durably, over an earlier one. Call once.
  virtual absl::Status Commit() = 0;
};

// A folder or bucket that receives the files of jobs. Whoever reads a path sees
// a whole file or none.
//
// Paths are relative, with slashes between their parts. Errors name the file:
// NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION for a place that is not
// there, RESOURCE_EXHAUSTED for a full disk or quota, UNAVAILABLE for what may
// pass. Thread-safe, unless two write the same path.
class OutputStore {
 public:
  virtual ~OutputStore() = default;

  // Returns how a person calls `path`: the name of the file or its URI.
  virtual std::string NameOf(std::string_view path) const = 0;

  // Makes ready to write below `folder`, which may be empty, so that a place
  // that cannot be written is found before there is anything to write.
  virtual absl::Status Prepare(const std::string& folder) = 0;

  // Writes a file whole and durably, over an earlier one; returns the SHA-256
  // of `bytes` in hexadecimal.
  virtual absl::StatusOr<std::string> Put(const std::string& path,
                                          std::string_view bytes) = 0;

  // Starts a file that is written piece by piece. As with Put, its folder was
  // prepared.
  virtual absl::StatusOr<std::unique_ptr<OutputFile>> Create(
      const std::string& path) = 0;

  // Returns up to `limit` bytes, at least 1, from `offset` on; empty at the
  // end. Errors: NOT_FOUND.
  virtual absl::StatusOr<std::string> Read(const std::string& path,
                                           int64_t offset, int64_t limit) = 0;

  // Says whether there is a file `path`.
  virtual absl::StatusOr<bool> Exists(const std::string& path) = 0;

  // Returns the paths of all files below the folder `folder`, in order; empty
  // when there is none.
  virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) = 0;

  // Removes a file; one that is missing is fine.
  virtual absl::Status Remove(const std::string& path) = 0;

  // Removes what writers left that were killed. Call when nobody writes.
  virtual absl::Status RemoveTemporaries() = 0;
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_OUTPUT_STORE_H_
