// The seal: what a finished job leaves in its output folder.
#ifndef TESSERA_COORDINATOR_MANIFEST_H_
#define TESSERA_COORDINATOR_MANIFEST_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/storage/output_store.h"
#include "coordinator/job.h"
#include "coordinator/store/job_store.h"

namespace tessera::coordinator {

// Reads where the tasks of a shard came from. Thread-safe.
class TaskReader {
 public:
  virtual ~TaskReader() = default;

  // Returns the identities of a payload's tasks in their order, which is input
  // order: (line, index) ascends. Errors: DATA_LOSS when it cannot be read.
  virtual absl::StatusOr<std::vector<TaskIdentity>> ReadTasks(
      std::string_view payload) const = 0;
};

// Writes manifest.jsonl, errors.jsonl and job.json of a job whose pictures all
// ended to `out`, removes what interrupted writers left there, and removes
// pictures that no manifest line names. `end_time` goes into job.json.
//
// The manifest has a line a finished picture in input order, merged from the
// shards; the memory needed is that of the shards whose lines overlap. Each
// file appears whole; job.json comes last.
// Sealing again writes the same bytes, but for the `end_time` given.
//
// Errors: those of the job's store and of `out`.
absl::Status SealJob(const JobStore& store, const TaskReader& task_reader,
                     const Job& job, absl::Time end_time,
                     storage::OutputStore& out);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_MANIFEST_H_
