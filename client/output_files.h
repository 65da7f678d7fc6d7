// The files of a finished job, wherever they are.
#ifndef TESSERA_CLIENT_OUTPUT_FILES_H_
#define TESSERA_CLIENT_OUTPUT_FILES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/storage/output_store.h"

namespace tessera::client {

// A picture as its manifest has it.
struct ManifestEntry {
  std::string path;    // relative to the output, below images/
  std::string sha256;  // lower-case hexadecimal
};

// Calls `visit` with every line of the manifest in `output`, in order, and
// stops at its first error. Needs memory for a line and a megabyte. Errors:
// NOT_FOUND without a manifest; DATA_LOSS naming the line for one that is not a
// manifest's, or whose path leads out of the output.
absl::Status ForEachManifestEntry(
    storage::OutputStore& output,
    const std::function<absl::Status(const ManifestEntry&)>& visit);

// Returns the SHA-256 of a file in hexadecimal. Errors: NOT_FOUND; those of the
// store.
absl::StatusOr<std::string> DigestOf(storage::OutputStore& output,
                                     const std::string& path);

// What was found when an output was compared with its manifest.
struct VerifyReport {
  int64_t pictures = 0;  // lines of the manifest
  int64_t intact = 0;
  std::vector<std::string> problems;  // the first thousand, one a file
  int64_t damaged = 0;                // another digest, or missing
  int64_t unnamed = 0;                // below images/, in no line
};

// Reads every file that the manifest names and compares its digest; looks for
// pictures that no line names. Errors: as ForEachManifestEntry.
absl::StatusOr<VerifyReport> VerifyOutput(storage::OutputStore& output);

// Brings one file from `from` to `to`, whose folder it prepares, unless it is
// there with that digest already; returns whether it had to. Errors: DATA_LOSS
// when what was read has another digest, naming the file, which is not written
// then; INVALID_ARGUMENT for a path that leads out of the output.
absl::StatusOr<bool> BringFile(storage::OutputStore& from,
                               storage::OutputStore& to,
                               const ManifestEntry& entry);

// Brings a file whose digest nobody keeps; one that is missing is fine.
absl::Status BringWhole(storage::OutputStore& from, storage::OutputStore& to,
                        const std::string& path);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_OUTPUT_FILES_H_
