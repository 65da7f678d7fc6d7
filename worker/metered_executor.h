// Counts what an executor does.
#ifndef TESSERA_WORKER_METERED_EXECUTOR_H_
#define TESSERA_WORKER_METERED_EXECUTOR_H_

#include "worker/metrics.h"
#include "worker/shard_executor.h"

namespace tessera::worker {

// Creates a decorator for ShardExecutor that reports every event to the
// metrics and then to the listener. Both arguments must outlive it.
class MeteredExecutor final : public ShardExecutor {
 public:
  MeteredExecutor(ShardExecutor& executor, WorkerMetrics& metrics);

  void Execute(const Assignment& assignment, ExecutionControl& control,
               ExecutionListener& listener) override;

 private:
  ShardExecutor& executor_;
  WorkerMetrics& metrics_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_METERED_EXECUTOR_H_
