// A worker's part in pipeline groups.
#ifndef TESSERA_WORKER_PIPELINE_MEMBER_H_
#define TESSERA_WORKER_PIPELINE_MEMBER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/clock.h"
#include "kernels/device.h"
#include "worker/engine.h"
#include "worker/group_messages.h"
#include "worker/lora_store.h"
#include "worker/pipeline/stage_events.h"

namespace tessera::worker {

// Where a member finds what it needs.
struct PipelineMemberOptions {
  std::string models;  // folder whose subfolders are models
  std::string host;    // of this machine, where other members reach it
};

// Does what the coordinator orders of groups, on a thread a group: prepares
// and finds its address, then connects, loads its pieces, and serves the
// group's first rank, or offers an engine if it is that. In one group at a
// time; another is joined only when the thread of the last one has ended.
//
// Status and Obey belong to one thread; the others are thread-safe. Borrows
// everything.
class PipelineMember {
 public:
  // `free_memory` is called, on the group's thread, before weights are loaded,
  // while the worker has no lease.
  PipelineMember(PipelineMemberOptions options, kernels::Device& device,
                 LoraStore& loras, std::function<void()> free_memory,
                 pipeline::StageEvents& events, Clock& clock);
  // Leaves the group.
  ~PipelineMember();

  PipelineMember(const PipelineMember&) = delete;
  PipelineMember& operator=(const PipelineMember&) = delete;

  // Returns what to report; nothing outside of groups.
  std::optional<GroupStatus> Status();

  // Makes the worker a member of `order`'s group and of no other.
  void Obey(const std::optional<GroupOrder>& order);

  // Returns the engine of the group for the model `name` that this worker is
  // the first rank of and that is ready; null if there is none.
  std::shared_ptr<Engine> engine(const std::string& name) const;

  // Reports the group of `engine` as failed, unless it is another by now.
  // Thread-safe.
  void Fail(const std::shared_ptr<Engine>& engine, const absl::Status& reason);

 private:
  class Membership;

  const PipelineMemberOptions options_;
  kernels::Device& device_;
  LoraStore& loras_;
  const std::function<void()> free_memory_;
  pipeline::StageEvents& events_;
  Clock& clock_;
  mutable absl::Mutex mu_;
  std::shared_ptr<Membership> current_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PIPELINE_MEMBER_H_
