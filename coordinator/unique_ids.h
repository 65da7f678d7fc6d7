// Finds custom ids that are used twice, in bounded memory.
#ifndef TESSERA_COORDINATOR_UNIQUE_IDS_H_
#define TESSERA_COORDINATOR_UNIQUE_IDS_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::coordinator {

// An id used by two lines (line numbers from 1).
struct DuplicateId {
  int64_t line = 0;        // the later one
  int64_t first_line = 0;  // the earlier one; 0: one with an implicit id
};

// Remembers the ids of a file's lines as 128-bit digests: up to `memory_ids`
// of them in memory, beyond that in sorted runs of an unnamed temporary file.
// A file without explicit ids costs nothing. Thread-compatible.
class UniqueIds {
 public:
  explicit UniqueIds(size_t memory_ids);

  // Adds the id of the line numbered `line_number`, whose index among the
  // lines that are not blank is `index`; call with growing indices. An empty
  // `custom_id` means the implicit one, the index in decimal. Returns the
  // duplicate if it can be told at once. Errors: those of the temporary file.
  absl::StatusOr<std::optional<DuplicateId>> Add(std::string_view custom_id,
                                                 int64_t index,
                                                 int64_t line_number);

  // Returns at most `limit` duplicates that Add could not tell.
  absl::StatusOr<std::vector<DuplicateId>> Finish(size_t limit);

 private:
  struct Entry {
    absl::uint128 digest;
    int64_t line;
  };
  struct CloseFile {
    void operator()(FILE* file) const;
  };

  absl::Status Spill();

  const size_t memory_ids_;
  // Lines at the start of the file whose ids are all implicit: one bound
  // stands for all of them.
  int64_t implicit_prefix_ = 0;
  bool any_explicit_ = false;
  absl::flat_hash_map<absl::uint128, int64_t> recent_;  // digest -> line number
  std::unique_ptr<FILE, CloseFile> spilled_;
  std::vector<int64_t> run_ends_;  // in entries
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_UNIQUE_IDS_H_
