#include "worker/pipeline_source.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tessera::worker {

PipelineSource::PipelineSource(EngineSource& whole, PipelineMember& member)
    : whole_(whole), member_(member) {}

absl::StatusOr<Engine*> PipelineSource::Get(const std::string& name) {
  return whole_.Get(name);
}

absl::StatusOr<Engine*> PipelineSource::GetPipelined(const std::string& name) {
  used_ = member_.engine(name);
  if (used_ != nullptr) return used_.get();
  return absl::AbortedError(
      absl::StrCat("this worker leads no pipeline for model ", name));
}

// Looks at the engine here, on the thread that used it.
void PipelineSource::Release() {
  if (used_ == nullptr) return;
  const absl::Status health = used_->health();
  if (!health.ok()) member_.Fail(used_, health);
  used_.reset();
}

}  // namespace tessera::worker
