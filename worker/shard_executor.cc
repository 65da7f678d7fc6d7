#include "worker/shard_executor.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "worker/image_files.h"
#include "worker/shard_run.h"

namespace tessera::worker {
namespace {

// Indices of the tasks that no earlier attempt finished.
std::vector<int> UnfinishedTasks(const Assignment& assignment) {
  const int count = static_cast<int>(assignment.tasks.size());
  std::vector<bool> finished(assignment.tasks.size(), false);
  for (const int task : assignment.finished_tasks) {
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

EngineExecutor::EngineExecutor(EngineSource& source, ExecutorOptions options,
                               Clock& clock)
    : source_(source), options_(std::move(options)), clock_(clock) {}

void EngineExecutor::Execute(const Assignment& assignment,
                             ExecutionControl& control,
                             ExecutionListener& listener) {
  const std::vector<int> unfinished = UnfinishedTasks(assignment);
  const auto fail_all = [&](const absl::Status& status) {
    if (control.stopped()) return;
    for (const int task : unfinished) {
      listener.OnResult(MakeFailure(task, status));
    }
  };
  absl::StatusOr<Engine*> engine = source_.Get(assignment.model);
  if (!engine.ok()) return fail_all(engine.status());
  auto files = ImageFiles::Create(assignment, options_.worker,
                                  (*engine)->facts(), control);
  if (!files.ok()) return fail_all(files.status());
  ShardRun run(assignment, assignment.isolate ? 1 : options_.batch, **engine,
               **files, control, listener);
  run.Execute(unfinished);
}

}  // namespace tessera::worker
