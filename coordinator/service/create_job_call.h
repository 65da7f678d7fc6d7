// The call that receives a prompts file.
#ifndef TESSERA_COORDINATOR_SERVICE_CREATE_JOB_CALL_H_
#define TESSERA_COORDINATOR_SERVICE_CREATE_JOB_CALL_H_

#include <atomic>
#include <memory>

#include "coordinator/coordinator.h"
#include "coordinator/service/call_frame.h"
#include "coordinator/service/job_submission.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "tessera/v1/generation_service.pb.h"

namespace tessera::coordinator {

// Most submits that are received at once; each holds up to 64 MB of pictures.
inline constexpr int kMaxSubmissions = 16;

// Reads one message at a time and only asks for the next when the last is
// stored, so that a fast client waits for a slow disk. Deletes itself.
class CreateJobCall final
    : public grpc::ServerReadReactor<v1::CreateJobRequest> {
 public:
  // `active` counts the calls of this kind. References and pointers outlive
  // the call.
  CreateJobCall(const CallFrame& frame, Coordinator& coordinator,
                std::atomic<int>& active, grpc::CallbackServerContext* context,
                v1::Job* response);
  ~CreateJobCall() override;

  void OnReadDone(bool ok) override;
  void OnDone() override;

 private:
  void TakeMessage();
  void EndOfStream();
  absl::Status Handle(v1::CreateJobRequest& request);
  absl::StatusOr<Job> Complete();
  void Answer(const absl::StatusOr<Job>& job);

  const CallFrame& frame_;
  Coordinator& coordinator_;
  std::atomic<int>& active_;
  grpc::CallbackServerContext* const context_;
  v1::Job* const response_;
  const CallTimer timer_;
  v1::CreateJobRequest request_;
  std::unique_ptr<JobSubmission> submission_;  // null before the header
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_CREATE_JOB_CALL_H_
