// One job on a service of its own, from the first process to the last.
#ifndef TESSERA_CLIENT_LOCAL_JOB_H_
#define TESSERA_CLIENT_LOCAL_JOB_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/client.h"
#include "client/local_request.h"
#include "client/local_service.h"
#include "client/progress.h"
#include "client/temporary_folder.h"
#include "client/termination_signals.h"
#include "common/clock.h"

namespace tessera::client {

// Runs a LocalRequest. Thread-compatible; one run an object.
class LocalJob {
 public:
  // `request` and `progress` must outlive the object. `signals` ends the job.
  LocalJob(const LocalRequest& request, TemporaryFolder& folder,
           TerminationSignals& signals, Progress& progress, Clock& clock);

  // Checks the model, starts the service, submits, follows the job until it
  // is sealed and stops the service. Returns the job in its terminal state.
  // Errors: INVALID_ARGUMENT for a model or prompts that are refused (no
  // output folder is left), CANCELLED when a signal came, INTERNAL when
  // processes keep dying. Finished pictures stay in every case.
  absl::StatusOr<v1::Job> Run();

 private:
  absl::Status CheckModel();
  absl::Status StartCoordinator();
  absl::StatusOr<v1::Job> Submit();
  absl::StatusOr<v1::Job> Follow(const std::string& job_id);
  // Cancels the job and waits a little until it is sealed.
  void Cancel(const std::string& job_id);
  absl::StatusOr<v1::Job> SubmitAndFollow();

  const LocalRequest& request_;
  TemporaryFolder& folder_;
  TerminationSignals& signals_;
  Progress& progress_;
  Clock& clock_;
  std::unique_ptr<LocalService> service_;
  std::unique_ptr<Client> follower_;  // tries once, so that we can supervise
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_LOCAL_JOB_H_
