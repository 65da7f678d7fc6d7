// Tells the coordinator of the worker's pipeline group, and obeys it.
#ifndef TESSERA_WORKER_PIPELINE_LINK_H_
#define TESSERA_WORKER_PIPELINE_LINK_H_

#include "worker/coordinator_link.h"
#include "worker/pipeline_member.h"

namespace tessera::worker {

// Creates a decorator for CoordinatorLink that adds the member's status to
// every Synchronize call and has it obey the answer. Both arguments must
// outlive it.
class PipelineLink final : public CoordinatorLink {
 public:
  PipelineLink(CoordinatorLink& link, PipelineMember& member);

  absl::StatusOr<SynchronizeAnswer> Synchronize(
      const SynchronizeCall& call) override;
  // These go to `link` as they are.
  absl::Status CommitResults(const CommitCall& call) override;
  void EndIdleCalls() override;

 private:
  CoordinatorLink& link_;
  PipelineMember& member_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PIPELINE_LINK_H_
