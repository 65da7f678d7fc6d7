// One submit on its way from bytes to a stored job.
#ifndef TESSERA_COORDINATOR_SERVICE_JOB_SUBMISSION_H_
#define TESSERA_COORDINATOR_SERVICE_JOB_SUBMISSION_H_

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/coordinator.h"
#include "coordinator/lora_resolver.h"
#include "coordinator/prompt_file.h"
#include "coordinator/service/codec.h"
#include "coordinator/sharder.h"

namespace tessera::coordinator {

// Validates a prompts file as it arrives and stores its shards under a job in
// CREATING, which becomes visible to workers only in Finish. Destroying an
// unfinished submission removes the job. Thread-compatible.
class JobSubmission {
 public:
  // Begins the job that a client asks for. Errors: INVALID_ARGUMENT naming the
  // field; those of BeginJob. `coordinator` must outlive the submission.
  static absl::StatusOr<std::unique_ptr<JobSubmission>> Begin(
      Coordinator& coordinator, const v1::JobHeader& proto);
  ~JobSubmission();

  // Returns the job that has the same request id already; then nothing else
  // is to be called.
  const std::optional<Job>& existing() const { return existing_; }

  // Takes bytes of the prompts file, in order. Errors: INVALID_ARGUMENT naming
  // lines and fields; those of the store. Do not call again after an error.
  absl::Status Add(std::string_view bytes);

  // Ends the file: all lines are valid. Stores what is left and pins the LoRAs
  // that lines and defaults name; the job is still invisible. Errors: as Add,
  // for a file without prompts, and those of PinLoras.
  absl::Status EndFile();

  // Hands the job to the workers. Call once, after EndFile.
  absl::StatusOr<Job> Finish();

 private:
  JobSubmission(Coordinator& coordinator, std::unique_ptr<LoraResolver> loras,
                BegunJob job, SubmitHeader header);

  absl::Status TakeLine(PromptLine line);
  absl::Status Store(std::vector<ShardTasks> shards);
  absl::Status Flush();

  Coordinator& coordinator_;
  const std::unique_ptr<LoraResolver> loras_;  // used by file_
  const JobId job_;
  const uint64_t seed_;
  std::optional<Job> existing_;
  bool finished_ = false;
  Sharder sharder_;
  PromptFile file_;
  std::vector<ShardDraft> drafts_;
  size_t draft_bytes_ = 0;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_JOB_SUBMISSION_H_
