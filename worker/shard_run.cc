#include "worker/shard_run.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/log.h"

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
  for (const int task : tasks) batcher_.Add(Waiting(task));
  // Goes on until every task has a result, or an order ends it.
  while (!batcher_.done()) {
    // Looks at the orders between two steps: a UNet call is never cut short.
    if (control_.stopped()) return Abandon();
    if (!engine_.health().ok()) break;
    if (!control_.draining()) Admit();
    if (batcher_.running() > 0) {
      // Waits for pictures in flight when draining: no new one was admitted.
      Step();
    } else if (control_.draining()) {
      return;
    }
  }
  if (const absl::Status health = engine_.health(); !health.ok()) {
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
  if (StartAgain(finished)) return;
  for (model::Finished& picture : finished) {
    if (control_.stopped()) return;  // nothing more may be committed
    Finish(std::move(picture));
  }
}

// Has all pictures made anew, half as many together, if they failed because
// they did not fit the device's memory. Returns whether they did: one alone
// that does not fit fails.
bool ShardRun::StartAgain(const std::vector<model::Finished>& finished) {
  const bool all_failed =
      finished.size() > 1 && finished.size() == running_.size() &&
      std::all_of(finished.begin(), finished.end(), [](const auto& picture) {
        return absl::IsResourceExhausted(picture.image.status());
      });
  if (!all_failed) return false;
  const int fewer = static_cast<int>(finished.size()) / 2;
  Log(Severity::kWarning, "out of device memory, fewer pictures together",
      {{"status", finished.front().image.status()}, {"batch", fewer}});
  batcher_.Shrink(fewer);
  // Keeps the order of the shard; tickets are indices of tasks.
  for (auto task = running_.rbegin(); task != running_.rend(); ++task) {
    batcher_.Return(Waiting(*task));
  }
  running_.clear();
  return true;
}

// Reports what was finished before the device was lost; what was in flight
// fails for a reason that may pass, so that a picture that costs a device each
// time is tried a few times only.
void ShardRun::LoseDevice(const std::vector<model::Finished>& finished) {
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
