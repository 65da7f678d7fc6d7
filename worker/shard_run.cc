#include "worker/shard_run.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/log.h"

namespace tessera::worker {
namespace {

// Batches of finished pictures that may wait to be written: one that is written
// and one that has just come. Their pixels are a few megabytes each.
constexpr size_t kBatchesToWrite = 2;

}  // namespace

ShardRun::ShardRun(const Assignment& assignment, int batch, Engine& engine,
                   ImageOutbox::Write write, ExecutionControl& control,
                   ExecutionListener& listener)
    : assignment_(assignment),
      engine_(engine),
      control_(control),
      listener_(listener),
      batcher_(batch),
      reported_(engine.seconds()),
      outbox_(std::move(write), kBatchesToWrite * static_cast<size_t>(batch)) {}

void ShardRun::Execute(const std::vector<int>& tasks) {
  for (const int task : tasks) batcher_.Add(Waiting(task));
  // Goes on until every task has a result, or an order ends it.
  while (!batcher_.done()) {
    // Looks at the orders between two steps: a UNet call is never cut short.
    if (control_.stopped()) return Abandon();
    ReportWritten(outbox_.Take());
    if (!engine_.health().ok()) break;
    if (!control_.draining()) Admit();
    if (batcher_.running() > 0) {
      // Waits for pictures in flight when draining: no new one was admitted.
      Step();
    } else if (control_.draining()) {
      break;
    }
  }
  if (control_.stopped()) return Abandon();
  ReportWritten(outbox_.TakeAll());
  const absl::Status health = engine_.health();
  if (absl::IsAborted(health)) {
    Log(Severity::kWarning, "the pipeline has ended", {{"status", health}});
  } else if (!health.ok()) {
    listener_.OnDeviceLost(health);
  }
}

// Fills the batch as far as sizes allow. A task that the engine refuses becomes
// a failure of its own, and the next takes its place.
void ShardRun::Admit() {
  while (const std::optional<int> task = batcher_.Admit()) {
    const absl::StatusOr<std::vector<std::string>> warnings =
        engine_.Admit(*task, assignment_.tasks[*task]);
    if (!warnings.ok()) {
      if (AdmitLater(*task, warnings.status())) return;
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

// Has a task wait that the engine refused for no fault of its own: there is no
// memory for it beside the pictures that run, or the device is lost. Returns
// whether that is so.
bool ShardRun::AdmitLater(int task, const absl::Status& refusal) {
  const bool crowded = absl::IsResourceExhausted(refusal) && !running_.empty();
  if (!crowded && engine_.health().ok()) return false;
  batcher_.Return(Waiting(task));
  if (crowded) batcher_.Shrink(static_cast<int>(running_.size()));
  return true;
}

// Returns a task with its size resolved, for the batcher compares sizes.
WaitingTask ShardRun::Waiting(int task) const {
  const ModelFacts& facts = engine_.facts();
  const ImageTask& item = assignment_.tasks[task];
  return {task, item.width == 0 ? facts.width : item.width,
          item.height == 0 ? facts.height : item.height};
}

// Moves all pictures by one step; those that are done leave.
void ShardRun::Step() {
  const int images = batcher_.running();
  std::vector<model::Finished> finished = engine_.Step();
  listener_.OnUNetCall(images);
  ReportStages();
  if (!engine_.health().ok()) return LoseDevice(finished);
  for (model::Finished& picture : StartAgain(std::move(finished))) {
    if (control_.stopped()) return;  // nothing more may be committed
    Finish(std::move(picture));
  }
}

// Has pictures made anew that failed because the device's memory did not
// suffice for all that were in it, and half as many together from now on.
// Returns the others. One picture alone that does not fit stays a failure.
std::vector<model::Finished> ShardRun::StartAgain(
    std::vector<model::Finished> finished) {
  if (running_.size() < 2) return finished;
  std::set<int> crowded;  // keeps the order of the shard
  std::erase_if(finished, [&](const model::Finished& picture) {
    if (!absl::IsResourceExhausted(picture.image.status())) return false;
    crowded.insert(static_cast<int>(picture.ticket));
    return true;
  });
  if (crowded.empty()) return finished;
  const int fewer = static_cast<int>(running_.size()) / 2;
  Log(Severity::kWarning, "out of device memory, fewer pictures together",
      {{"pictures", crowded.size()}, {"batch", fewer}});
  batcher_.Shrink(fewer);
  // Returns the last one first, so that they come in order.
  for (auto task = crowded.rbegin(); task != crowded.rend(); ++task) {
    batcher_.Return(Waiting(*task));
    running_.erase(*task);
  }
  return finished;
}

// Reports what was finished before the device was lost; what was in flight
// fails for a reason that may pass, so that a picture that costs a device each
// time is tried a few times only.
void ShardRun::LoseDevice(const std::vector<model::Finished>& finished) {
  if (absl::IsAborted(engine_.health())) return EndPipeline(finished);
  const absl::Status lost = absl::UnavailableError(
      absl::StrCat("device lost: ", std::string(engine_.health().message())));
  for (const model::Finished& picture : finished) {
    if (picture.image.ok()) Finish(picture);
  }
  for (const int task : running_) {
    batcher_.Leave();
    Report(MakeFailure(task, lost));
  }
  running_.clear();
}

// Reports what was finished before the pipeline ended. What was in flight has
// no result: it is given back with the lease, and nobody is to blame.
void ShardRun::EndPipeline(const std::vector<model::Finished>& finished) {
  for (const model::Finished& picture : finished) {
    if (picture.image.ok()) Finish(picture);
  }
  running_.clear();
}

// Has a finished picture written; its place is free before that.
void ShardRun::Finish(model::Finished finished) {
  const int task = static_cast<int>(finished.ticket);
  CHECK(running_.erase(task) == 1);
  batcher_.Leave();
  if (!finished.image.ok()) {
    return Report(MakeFailure(task, finished.image.status()));
  }
  outbox_.Put(task, *std::move(finished.image), finished.seconds);
}

// Reports pictures whose files are durable, or could not be written. Says
// nothing when stopped: the execution has lost its lease.
void ShardRun::ReportWritten(std::vector<ImageOutbox::Result> results) {
  for (ImageOutbox::Result& result : results) {
    if (control_.stopped()) return;
    if (!result.written.ok()) {
      Report(MakeFailure(result.task, result.written.status()));
      continue;
    }
    WrittenImage written = *std::move(result.written);
    const FileSeconds& file = written.seconds;
    listener_.OnStage("image_encode", file.image_encode);
    listener_.OnStage("image_write", file.image_write);
    // Sums the picture's own time: in the batch, which it shared, and its
    // file's.
    written.image.seconds =
        result.seconds + file.image_encode + file.image_write;
    Report({result.task, std::move(written.image)});
  }
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

// Takes what is in flight out of the engine, which outlives this run, and
// leaves the pictures that wait unwritten.
void ShardRun::Abandon() {
  outbox_.Drop();
  for (const int task : running_) engine_.Remove(task);
  running_.clear();
}

}  // namespace tessera::worker
