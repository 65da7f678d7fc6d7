#include "client/local_job.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/child_process.h"
#include "client/exit_codes.h"
#include "client/output_cleanup.h"
#include "client/retry.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

// How often a running job is looked at; a signal ends the wait at once.
constexpr absl::Duration kTick = absl::Milliseconds(100);
// Finer, since a check of a small model takes milliseconds.
constexpr absl::Duration kProbeTick = absl::Milliseconds(10);
// What a person who pressed Ctrl-C waits for pictures in flight.
constexpr absl::Duration kDrainGrace = absl::Seconds(3);
// A seal of a cancelled job is short; a store that is stuck must not keep a
// person waiting.
constexpr absl::Duration kCancelLimit = absl::Seconds(10);
// What processes may need to end once they are asked to.
constexpr absl::Duration kStopGrace = absl::Seconds(10);
// Lines of the probe's output that are shown: its error is at the end.
constexpr int kProbeLines = 5;

// Makes options of a client that tries once: repeats are left to our own loop,
// which restarts what has died between tries.
ClientOptions Impatient(const std::string& address) {
  ClientOptions options;
  options.coordinator = address;
  options.patience = absl::ZeroDuration();
  options.patience_after_contact = absl::ZeroDuration();
  return options;
}

}  // namespace

LocalJob::LocalJob(const LocalRequest& request, TemporaryFolder& folder,
                   TerminationSignals& signals, Progress& progress,
                   Clock& clock)
    : request_(request),
      folder_(folder),
      signals_(signals),
      progress_(progress),
      clock_(clock) {}

// Has a process of its own check the model, so that a damaged one ends the
// probe with a message and not the job with failed pictures. Errors:
// INVALID_ARGUMENT.
absl::Status LocalJob::CheckModel() {
  ASSIGN_OR_RETURN(const std::string program, FindSibling("tessera-probe"));
  const std::string log = folder_.File("probe.log");
  ASSIGN_OR_RETURN(
      ChildProcess probe,
      ChildProcess::Start(program,
                          {"--model", request_.model_folder, "--check"}, log));
  while (!probe.Poll().has_value()) {
    // Waits for signals rather than sleeping: Ctrl-C ends it at once, and the
    // destructor of `probe` kills what still runs.
    if (signals_.Wait(kProbeTick)) return absl::CancelledError("interrupted");
  }
  if (probe.Poll()->ok()) return absl::OkStatus();
  // The probe's own words are the best message there is.
  std::string said = ReadTail(log, kProbeLines);
  if (said.empty()) said = probe.Poll()->ToString();
  return absl::InvalidArgumentError(absl::StrCat(
      "the model cannot be used: ", request_.model_folder, ": ", said));
}

// Starts the coordinator on a free port and waits until it answers.
absl::Status LocalJob::StartCoordinator() {
  LocalServiceOptions options;
  ASSIGN_OR_RETURN(options.coordinator_program,
                   FindSibling("tessera-coordinator"));
  ASSIGN_OR_RETURN(options.worker_program, FindSibling("tessera-worker"));
  options.folder = folder_.path();
  // Workers take the folder above and find models in it by name.
  options.models = fs::path(request_.model_folder).parent_path().string();
  options.workers = request_.workers;
  options.threads = request_.threads;
  options.loras = request_.loras;
  options.pipeline = request_.header.pipeline_stages() > 1;
  service_ = std::make_unique<LocalService>(std::move(options), clock_);
  return service_->StartCoordinator([this] {
    // A new connection a try: one that was refused would wait before it
    // connects again.
    return Connect(Impatient(service_->address()), clock_).ListWorkers().ok();
  });
}

// Sends the prompts before any worker runs, so that input which is refused has
// cost no model load.
absl::StatusOr<v1::Job> LocalJob::Submit() {
  ClientOptions options;
  options.coordinator = service_->address();
  // A coordinator on this machine that cannot be reached is dead: nothing is
  // gained by more patience.
  options.patience_after_contact = options.patience;
  Client submitter = Connect(std::move(options), clock_);
  absl::StatusOr<v1::Job> job =
      submitter.CreateJob(request_.header, request_.prompts);
  if (!job.ok()) return request_.prompts.Locate(job.status());
  return job;
}

// Looks after processes and the job in turn, until the job ends, a signal
// comes, or processes keep dying.
absl::StatusOr<v1::Job> LocalJob::Follow(const std::string& job_id) {
  const auto note = [this](const std::string& line) { progress_.Note(line); };
  while (true) {
    if (signals_.Wait(kTick)) {
      progress_.Note("interrupted; finished pictures stay");
      // Workers first: they commit the pictures in flight, and the seal
      // afterwards meets nobody who still writes.
      service_->StopWorkers(kDrainGrace);
      Cancel(job_id);
      return absl::CancelledError("interrupted");
    }
    // No worker or no coordinator can be kept alive; what is finished is kept
    // as after an interrupt.
    if (const absl::Status alive = service_->Supervise(note); !alive.ok()) {
      service_->StopWorkers(kDrainGrace);
      Cancel(job_id);
      return alive;
    }
    const absl::StatusOr<v1::Job> job = follower_->GetJob(job_id);
    if (job.ok()) {
      progress_.Show(*job);
      if (IsTerminal(job->state())) return job;
      // The coordinator may just have been restarted; the next turn sees.
    } else if (!IsTransient(job.status())) {
      return job;
    }
  }
}

// Best effort: without an answer the pictures are there all the same, only the
// manifest is missing.
void LocalJob::Cancel(const std::string& job_id) {
  const absl::Time end = clock_.Now() + kCancelLimit;
  absl::StatusOr<v1::Job> job = follower_->CancelJob(job_id);
  while (job.ok() && !IsTerminal(job->state()) && clock_.Now() < end) {
    // A second Ctrl-C: the person does not want to wait.
    if (signals_.Wait(kTick)) return;
    job = follower_->GetJob(job_id);
  }
}

// Submits, and only then starts the workers.
absl::StatusOr<v1::Job> LocalJob::SubmitAndFollow() {
  ASSIGN_OR_RETURN(const v1::Job job, Submit());
  follower_ =
      std::make_unique<Client>(Connect(Impatient(service_->address()), clock_));
  RETURN_IF_ERROR(service_->StartWorkers());
  progress_.Show(job);
  return Follow(job.job_id());
}

// Stops the service whatever happened, so that nobody writes into the folder
// when it returns.
absl::StatusOr<v1::Job> LocalJob::Run() {
  RETURN_IF_ERROR(CheckModel());
  RETURN_IF_ERROR(StartCoordinator());
  absl::StatusOr<v1::Job> job = SubmitAndFollow();
  service_->Stop(kStopGrace);
  CleanOutput(request_.out, request_.out_before, !job.ok());
  return job;
}

}  // namespace tessera::client
