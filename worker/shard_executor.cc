#include "worker/shard_executor.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "worker/image_files.h"
#include "worker/shard_run.h"

namespace tessera::worker {
namespace {

// Returns the indices of the tasks that no earlier attempt finished, in order.
std::vector<int> UnfinishedTasks(const Assignment& assignment) {
  const int count = static_cast<int>(assignment.tasks.size());
  std::vector<bool> finished(assignment.tasks.size(), false);
  for (const int task : assignment.finished_tasks) {
    // Tolerates indices out of range, which the codec refuses.
    if (task >= 0 && task < count) finished[task] = true;
  }
  std::vector<int> unfinished;
  for (int task = 0; task < count; ++task) {
    if (!finished[task]) unfinished.push_back(task);
  }
  return unfinished;
}

}  // namespace

TaskResult MakeFailure(int task, const absl::Status& status) {
  return {task, TaskFailure{absl::StatusCodeToString(status.code()),
                            std::string(status.message())}};
}

EngineExecutor::EngineExecutor(EngineSource& source, ExecutorOptions options)
    : source_(source), options_(std::move(options)) {}

void EngineExecutor::Execute(const Assignment& assignment,
                             ExecutionControl& control,
                             ExecutionListener& listener) {
  const std::vector<int> unfinished = UnfinishedTasks(assignment);
  // Says nothing when stopped: the lease is lost, and results of it are
  // ignored.
  const auto fail_all = [&](const absl::Status& status) {
    if (control.stopped()) return;
    for (const int task : unfinished) {
      listener.OnResult(MakeFailure(task, status));
    }
  };
  // Loads the model if it is another; the session synchronizes meanwhile.
  const bool pipelined = assignment.pipeline_stages > 1;
  absl::StatusOr<Engine*> engine = pipelined
                                       ? source_.GetPipelined(assignment.model)
                                       : source_.Get(assignment.model);
  // Gives the lease back without a result: the pipeline has ended since.
  if (pipelined && absl::IsAborted(engine.status())) return;
  const absl::Cleanup release = [this] { source_.Release(); };
  if (!engine.ok()) return fail_all(engine.status());
  auto files =
      ImageFiles::Create(assignment, options_.worker, (*engine)->facts(),
                         options_.outputs, control);
  if (!files.ok()) return fail_all(files.status());
  // Isolates by a batch of one: a picture that kills the process then kills no
  // other.
  int& batch = batches_
                   .try_emplace({assignment.model, assignment.pipeline_stages},
                                (*engine)->capacity(options_.batch))
                   .first->second;
  const auto write = [&files](int task, const model::Image& image) {
    return (*files)->Write(task, image);
  };
  ShardRun run(assignment, assignment.isolate ? 1 : batch, **engine, write,
               control, listener);
  run.Execute(unfinished);
  if (!assignment.isolate) batch = run.capacity();
}

}  // namespace tessera::worker
