#include "worker/shard_run.h"

#include <utility>

#include "common/check.h"

namespace tessera::worker {

ShardRun::ShardRun(const Assignment& assignment, int batch, Engine& engine,
                   ImageFiles& files, ExecutionControl& control,
                   ExecutionListener& listener)
    : assignment_(assignment),
      engine_(engine),
      files_(files),
      control_(control),
      listener_(listener),
      batcher_(batch),
      reported_(engine.seconds()) {}

void ShardRun::Execute(const std::vector<int>& tasks) {
  // Resolves sizes here, for the batcher compares them.
  const ModelFacts& facts = engine_.facts();
  for (const int task : tasks) {
    const ImageTask& item = assignment_.tasks[task];
    batcher_.Add({task, item.width == 0 ? facts.width : item.width,
                  item.height == 0 ? facts.height : item.height});
  }
  // Goes on until every task has a result, or an order ends it.
  while (!batcher_.done()) {
    // Looks at the orders between two steps: a UNet call is never cut short.
    if (control_.stopped()) return Abandon();
    if (!control_.draining()) Admit();
    if (batcher_.running() > 0) {
      // Waits for pictures in flight when draining: no new one was admitted.
      Step();
    } else if (control_.draining()) {
      return;
    }
  }
}

// Fills the batch as far as sizes allow. A task that the engine refuses becomes
// a failure of its own, and the next takes its place.
void ShardRun::Admit() {
  while (const std::optional<int> task = batcher_.Admit()) {
    const absl::StatusOr<std::vector<std::string>> warnings =
        engine_.Admit(*task, assignment_.tasks[*task]);
    if (!warnings.ok()) {
      batcher_.Leave();
      Report(MakeFailure(*task, warnings.status()));
      continue;
    }
    running_.insert(*task);
    for (const std::string& warning : *warnings) {
      if (warnings_.insert(warning).second) new_warnings_.push_back(warning);
    }
  }
}

// Moves all pictures by one step; those that are done leave.
void ShardRun::Step() {
  const int images = batcher_.running();
  std::vector<model::Finished> finished = engine_.Step();
  listener_.OnUNetCall(images);
  ReportStages();
  for (model::Finished& picture : finished) {
    if (control_.stopped()) return;  // nothing more may be committed
    Finish(std::move(picture));
  }
}

// Writes a finished picture and reports it; its place is free before that.
void ShardRun::Finish(model::Finished finished) {
  const int task = static_cast<int>(finished.ticket);
  CHECK(running_.erase(task) == 1);
  batcher_.Leave();
  if (!finished.image.ok()) {
    return Report(MakeFailure(task, finished.image.status()));
  }
  absl::StatusOr<WrittenImage> written = files_.Write(task, *finished.image);
  if (!written.ok()) {
    // Says nothing: a stopped execution has lost its lease.
    if (control_.stopped()) return;
    return Report(MakeFailure(task, written.status()));
  }
  const FileSeconds& file = written->seconds;
  listener_.OnStage("image_encode", file.image_encode);
  listener_.OnStage("image_write", file.image_write);
  // Sums the picture's own time: in the batch, which it shared, and its file's.
  written->image.seconds =
      finished.seconds + file.image_encode + file.image_write;
  Report({task, std::move(written->image)});
}

// Hands a result on, and with it the warnings since the last one.
void ShardRun::Report(TaskResult result) {
  result.warnings = std::exchange(new_warnings_, {});
  listener_.OnResult(std::move(result));
}

// Reports the seconds since the last report: the engine only counts up.
void ShardRun::ReportStages() {
  const model::StageSeconds total = engine_.seconds();
  listener_.OnStage("text_encode", total.text_encode - reported_.text_encode);
  listener_.OnStage("denoise", total.denoise - reported_.denoise);
  listener_.OnStage("vae_decode", total.vae_decode - reported_.vae_decode);
  reported_ = total;
}

// Takes what is in flight out of the engine, which outlives this run.
void ShardRun::Abandon() {
  for (const int task : running_) engine_.Remove(task);
  running_.clear();
}

}  // namespace tessera::worker
