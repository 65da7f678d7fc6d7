#include "worker/pipeline_link.h"

#include "common/status_macros.h"

namespace tessera::worker {

PipelineLink::PipelineLink(CoordinatorLink& link, PipelineMember& member)
    : link_(link), member_(member) {}

absl::StatusOr<SynchronizeAnswer> PipelineLink::Synchronize(
    const SynchronizeCall& call) {
  SynchronizeCall full = call;
  full.group = member_.Status();
  ASSIGN_OR_RETURN(SynchronizeAnswer answer, link_.Synchronize(full));
  member_.Obey(answer.group);
  return answer;
}

// Passes commits on: groups are not told of them.
absl::Status PipelineLink::CommitResults(const CommitCall& call) {
  return link_.CommitResults(call);
}

// Passes the end of idle calls on, from any thread.
void PipelineLink::EndIdleCalls() { link_.EndIdleCalls(); }

}  // namespace tessera::worker
