// The loop that keeps the batch full until a shard is done.
#ifndef TESSERA_WORKER_SHARD_RUN_H_
#define TESSERA_WORKER_SHARD_RUN_H_

#include <set>
#include <string>
#include <vector>

#include "worker/assignment.h"
#include "worker/engine.h"
#include "worker/execution_control.h"
#include "worker/image_outbox.h"
#include "worker/micro_batcher.h"
#include "worker/shard_executor.h"

namespace tessera::worker {

// One execution of one assignment; a task's index is its ticket. Everything
// handed in must outlive it. Thread-compatible; used once.
class ShardRun {
 public:
  // `write` is called on a thread of its own, one picture at a time.
  ShardRun(const Assignment& assignment, int batch, Engine& engine,
           ImageOutbox::Write write, ExecutionControl& control,
           ExecutionListener& listener);

  // Executes `tasks`; files are written while the next pictures are made. Two
  // batches of pictures may wait for that, then the engine waits. When stopped,
  // removes what is in flight from the engine. When pictures do not fit the
  // device's memory together, halves how many go together and begins anew those
  // that failed. When the device is lost, those in flight fail in a way that
  // may pass, and the rest is left without a result. When a pipeline has
  // ended, so are those in flight.
  void Execute(const std::vector<int>& tasks);

  // How many pictures go together by now.
  int capacity() const { return batcher_.capacity(); }

 private:
  void Admit();
  bool AdmitLater(int task, const absl::Status& refusal);
  void Step();
  std::vector<model::Finished> StartAgain(
      std::vector<model::Finished> finished);
  void LoseDevice(const std::vector<model::Finished>& finished);
  void EndPipeline(const std::vector<model::Finished>& finished);
  WaitingTask Waiting(int task) const;
  void Finish(model::Finished finished);
  void ReportWritten(std::vector<ImageOutbox::Result> results);
  void Report(TaskResult result);
  void ReportStages();
  void Abandon();

  // Borrowed, as the three below.
  const Assignment& assignment_;
  Engine& engine_;
  ExecutionControl& control_;
  ExecutionListener& listener_;
  // Decides who enters; the engine would refuse another size.
  MicroBatcher batcher_;
  // Tasks in the engine, by index.
  std::set<int> running_;
  // Of all tasks so far, and those that no result has carried yet.
  std::set<std::string> warnings_;
  std::vector<std::string> new_warnings_;
  model::StageSeconds reported_;  // of the engine's, so far
  ImageOutbox outbox_;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_SHARD_RUN_H_
