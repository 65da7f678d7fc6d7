// Engines of whole models, and of the pipeline that this worker leads.
#ifndef TESSERA_WORKER_PIPELINE_SOURCE_H_
#define TESSERA_WORKER_PIPELINE_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "worker/engine.h"
#include "worker/pipeline_member.h"

namespace tessera::worker {

// Creates a decorator for EngineSource that finds pipelined engines with the
// member, and tells it when one has failed. Thread-compatible. Both arguments
// must outlive it.
class PipelineSource final : public EngineSource {
 public:
  PipelineSource(EngineSource& whole, PipelineMember& member);

  absl::StatusOr<Engine*> Get(const std::string& name) override;
  absl::StatusOr<Engine*> GetPipelined(const std::string& name) override;
  void Release() override;

 private:
  EngineSource& whole_;
  PipelineMember& member_;
  std::shared_ptr<Engine> used_;  // outlives the group while it is used
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PIPELINE_SOURCE_H_
