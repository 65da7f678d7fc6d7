#include "worker/metered_executor.h"

#include <string>
#include <utility>
#include <variant>

namespace tessera::worker {
namespace {

// Passes every event on; counts before it does, so that a commit never precedes
// its count.
class MeteredListener final : public ExecutionListener {
 public:
  MeteredListener(ExecutionListener& listener, WorkerMetrics& metrics)
      : listener_(listener), metrics_(metrics) {}

  void OnResult(TaskResult result) override {
    // Counts failures by their status code.
    const auto* failure = std::get_if<TaskFailure>(&result.outcome);
    metrics_.CountImage(failure == nullptr ? "done" : failure->code);
    listener_.OnResult(std::move(result));
  }

  void OnStage(std::string_view stage, double seconds) override {
    metrics_.AddStageSeconds(stage, seconds);
    listener_.OnStage(stage, seconds);
  }

  void OnUNetCall(int images) override {
    metrics_.CountUNetCall(images);
    listener_.OnUNetCall(images);
  }

  void OnDeviceLost(const absl::Status& reason) override {
    listener_.OnDeviceLost(reason);
  }

 private:
  ExecutionListener& listener_;
  WorkerMetrics& metrics_;
};

}  // namespace

MeteredExecutor::MeteredExecutor(ShardExecutor& executor,
                                 WorkerMetrics& metrics)
    : executor_(executor), metrics_(metrics) {}

void MeteredExecutor::Execute(const Assignment& assignment,
                              ExecutionControl& control,
                              ExecutionListener& listener) {
  // Lives as long as the execution, on the executor's thread.
  MeteredListener metered(listener, metrics_);
  executor_.Execute(assignment, control, metered);
}

}  // namespace tessera::worker
