#include "client/local_job.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/child_process.h"
#include "client/exit_codes.h"
#include "client/retry.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kTick = absl::Milliseconds(100);
constexpr absl::Duration kProbeTick = absl::Milliseconds(10);
// What a person who pressed Ctrl-C waits for pictures in flight.
constexpr absl::Duration kDrainGrace = absl::Seconds(3);
constexpr absl::Duration kCancelLimit = absl::Seconds(10);
constexpr absl::Duration kStopGrace = absl::Seconds(10);
constexpr int kProbeLines = 5;

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

absl::Status LocalJob::CheckModel() {
  ASSIGN_OR_RETURN(const std::string program, FindSibling("tessera-probe"));
  const std::string log = folder_.File("probe.log");
  ASSIGN_OR_RETURN(
      ChildProcess probe,
      ChildProcess::Start(program,
                          {"--model", request_.model_folder, "--check"}, log));
  while (!probe.Poll().has_value()) {
    if (signals_.Wait(kProbeTick)) return absl::CancelledError("interrupted");
  }
  if (probe.Poll()->ok()) return absl::OkStatus();
  std::string said = ReadTail(log, kProbeLines);
  if (said.empty()) said = probe.Poll()->ToString();
  return absl::InvalidArgumentError(absl::StrCat(
      "the model cannot be used: ", request_.model_folder, ": ", said));
}

absl::Status LocalJob::StartCoordinator() {
  LocalServiceOptions options;
  ASSIGN_OR_RETURN(options.coordinator_program,
                   FindSibling("tessera-coordinator"));
  ASSIGN_OR_RETURN(options.worker_program, FindSibling("tessera-worker"));
  options.folder = folder_.path();
  options.models = fs::path(request_.model_folder).parent_path().string();
  options.workers = request_.workers;
  options.threads = request_.threads;
  options.loras = request_.loras;
  service_ = std::make_unique<LocalService>(std::move(options), clock_);
  return service_->StartCoordinator([this] {
    return Connect(Impatient(service_->address()), clock_).ListWorkers().ok();
  });
}

absl::StatusOr<v1::Job> LocalJob::Submit() {
  ClientOptions options;
  options.coordinator = service_->address();
  options.patience_after_contact = options.patience;
  Client submitter = Connect(std::move(options), clock_);
  absl::StatusOr<v1::Job> job =
      submitter.CreateJob(request_.header, request_.prompts);
  if (!job.ok()) {
    return absl::Status(
        job.status().code(),
        request_.prompts.Locate(std::string(job.status().message())));
  }
  return job;
}

absl::StatusOr<v1::Job> LocalJob::Follow(const std::string& job_id) {
  const auto note = [this](const std::string& line) { progress_.Note(line); };
  while (true) {
    if (signals_.Wait(kTick)) {
      progress_.Note("interrupted; finished pictures stay");
      service_->StopWorkers(kDrainGrace);
      Cancel(job_id);
      return absl::CancelledError("interrupted");
    }
    if (const absl::Status alive = service_->Supervise(note); !alive.ok()) {
      service_->StopWorkers(kDrainGrace);
      Cancel(job_id);
      return alive;
    }
    const absl::StatusOr<v1::Job> job = follower_->GetJob(job_id);
    if (job.ok()) {
      progress_.Show(*job);
      if (IsTerminal(job->state())) return job;
    } else if (!IsTransient(job.status())) {
      return job;
    }
  }
}

void LocalJob::Cancel(const std::string& job_id) {
  const absl::Time end = clock_.Now() + kCancelLimit;
  absl::StatusOr<v1::Job> job = follower_->CancelJob(job_id);
  while (job.ok() && !IsTerminal(job->state()) && clock_.Now() < end) {
    if (signals_.Wait(kTick)) return;
    job = follower_->GetJob(job_id);
  }
}

absl::StatusOr<v1::Job> LocalJob::SubmitAndFollow() {
  ASSIGN_OR_RETURN(const v1::Job job, Submit());
  follower_ =
      std::make_unique<Client>(Connect(Impatient(service_->address()), clock_));
  RETURN_IF_ERROR(service_->StartWorkers());
  progress_.Show(job);
  return Follow(job.job_id());
}

void LocalJob::CleanOutput(bool refused) {
  std::error_code ignored;
  fs::remove_all(fs::path(request_.out) / ".tmp", ignored);
  // Removes the folder only when it is empty.
  if (refused && !request_.out_existed) fs::remove(request_.out, ignored);
}

absl::StatusOr<v1::Job> LocalJob::Run() {
  RETURN_IF_ERROR(CheckModel());
  RETURN_IF_ERROR(StartCoordinator());
  absl::StatusOr<v1::Job> job = SubmitAndFollow();
  service_->Stop(kStopGrace);
  CleanOutput(!job.ok());
  return job;
}

}  // namespace tessera::client
