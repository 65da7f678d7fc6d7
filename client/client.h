// Blocking calls of the service, the library behind every command.
#ifndef TESSERA_CLIENT_CLIENT_H_
#define TESSERA_CLIENT_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/prompts_file.h"
#include "client/retrier.h"
#include "common/clock.h"
#include "tessera/v1/generation_service.grpc.pb.h"

namespace tessera::client {

// Calls the service and repeats what fails for a reason that passes. Errors of
// every method: what the service answered; UNAVAILABLE "cannot reach …" when
// patience ran out. Thread-compatible.
class Client {
 public:
  using Stub = v1::GenerationService::StubInterface;

  Client(std::unique_ptr<Stub> stub, ClientOptions options, Clock& clock);

  // Submits `prompts` under `header`, whose request_id must be set: the whole
  // call is repeated with it when the connection breaks, and the service then
  // answers with the first job.
  absl::StatusOr<v1::Job> CreateJob(const v1::JobHeader& header,
                                    const PromptsFile& prompts);

  absl::StatusOr<v1::Job> GetJob(const std::string& job_id);
  absl::StatusOr<v1::Job> CancelJob(const std::string& job_id);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(
      const v1::ListJobsRequest& request);
  absl::StatusOr<v1::ListImagesResponse> ListImages(
      const v1::ListImagesRequest& request);
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers();

  // Follows a job until its terminal state, which is returned; `on_change` is
  // called with every state seen, the last included. Watches again from where
  // it stands when the stream breaks.
  absl::StatusOr<v1::Job> WatchJob(
      const std::string& job_id,
      const std::function<void(const v1::Job&)>& on_change);

 private:
  // Makes a call with one request and one answer.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Unary(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request);
  absl::Status SendPrompts(grpc::ClientWriterInterface<v1::CreateJobRequest>&,
                           const v1::JobHeader& header,
                           const PromptsFile& prompts);

  std::unique_ptr<Stub> stub_;
  Retrier retrier_;
  Clock& clock_;
};

// Makes a client of the coordinator at `options.coordinator`.
Client Connect(ClientOptions options, Clock& clock);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_CLIENT_H_
