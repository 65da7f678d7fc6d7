// The results of all shards of a job as one sequence in input order.
#ifndef TESSERA_COORDINATOR_RESULT_MERGE_H_
#define TESSERA_COORDINATOR_RESULT_MERGE_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "coordinator/job.h"
#include "coordinator/manifest.h"
#include "coordinator/store/job_store.h"

namespace tessera::coordinator {

using ResultVisitor =
    absl::FunctionRef<absl::Status(const TaskIdentity&, const TaskResult&)>;

// Calls `visit` with every finished task of `shards`, ordered by line and
// index, and stops at its first error.
//
// Shards are cut from groups of lines and so overlap; a heap holds those whose
// lines were reached and not yet passed. A shard is read when its first line
// is due. Of a damaged one line and id are what is still known: its first line,
// and the ids of pictures. Errors: those of the store; DATA_LOSS when a result
// has no task.
absl::Status MergeResults(const JobStore& store, const TaskReader& task_reader,
                          const JobId& job, std::vector<Shard> shards,
                          ResultVisitor visit);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_RESULT_MERGE_H_
