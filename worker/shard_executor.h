// A shard in, finished pictures out.
#ifndef TESSERA_WORKER_SHARD_EXECUTOR_H_
#define TESSERA_WORKER_SHARD_EXECUTOR_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "common/storage/output_places.h"
#include "worker/assignment.h"
#include "worker/engine.h"
#include "worker/execution_control.h"

namespace tessera::worker {

// Hears what an execution does, on the executing thread; must return soon.
class ExecutionListener {
 public:
  virtual ~ExecutionListener() = default;

  // A task ended. A picture's file is durable by then.
  virtual void OnResult(TaskResult result) = 0;
  // `seconds` were spent in `stage`: text_encode, denoise, vae_decode,
  // image_encode or image_write.
  virtual void OnStage(std::string_view stage, double seconds) = 0;
  // The UNet was called once for `images` pictures.
  virtual void OnUNetCall(int images) = 0;
  // The device is lost to this process: the execution ends, and tasks without
  // a result were not begun. Comes after the last result.
  virtual void OnDeviceLost(const absl::Status& reason) = 0;
};

// Executes shards one after the other. Thread-compatible.
class ShardExecutor {
 public:
  virtual ~ShardExecutor() = default;

  // Gives every unfinished task of `assignment` a result, unless `control`
  // says to end before or the device is lost: what has no result then was not
  // finished. What fails for one task fails it alone; what fails for all (no
  // such model, folder not writable) is the result of each.
  virtual void Execute(const Assignment& assignment, ExecutionControl& control,
                       ExecutionListener& listener) = 0;
};

struct ExecutorOptions {
  std::string worker;  // who makes the pictures; a file name
  int batch = 4;       // pictures that go through the UNet together
  // Opens outputs; it borrows what reaches buckets.
  storage::OutputPlaces outputs{nullptr};
};

// Makes the pictures with an engine and writes them as PNG files. A full disk
// is waited for a few times before it becomes a picture's failure. When the
// device has too little memory, fewer pictures go together from then on. The
// source must outlive the executor.
class EngineExecutor final : public ShardExecutor {
 public:
  EngineExecutor(EngineSource& source, ExecutorOptions options);

  void Execute(const Assignment& assignment, ExecutionControl& control,
               ExecutionListener& listener) override;

 private:
  EngineSource& source_;
  const ExecutorOptions options_;
  // How many pictures go together, by model and stages; of what was used.
  std::map<std::pair<std::string, int>, int> batches_;
};

// Returns the failure that `status` is for the task with index `task`.
TaskResult MakeFailure(int task, const absl::Status& status);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_SHARD_EXECUTOR_H_
