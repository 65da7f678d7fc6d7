#include "client/client.h"

#include <utility>

#include "client/exit_codes.h"
#include "common/rpc/channel.h"
#include "common/rpc/status.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Bytes of the file in one message, well below the 1 MiB that the service
// takes; large enough that the overhead of a message does not count.
constexpr int64_t kChunkBytes = 256 << 10;
// Longer than a store takes at its slowest, short enough to try again.
constexpr absl::Duration kCallDeadline = absl::Seconds(20);
// A stream is renewed after this long, so that a peer that hangs without
// closing is noticed.
constexpr absl::Duration kWatchDeadline = absl::Minutes(10);
// What the slowest sensible link and validation take for a file of prompts.
constexpr double kSlowestBytesPerSecond = 1 << 20;

// Limits a call: without a deadline one to a hung peer would last for ever.
void SetDeadline(grpc::ClientContext& context, Clock& clock,
                 absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(clock.Now() + timeout));
}

}  // namespace

Client::Client(std::unique_ptr<Stub> stub, ClientOptions options, Clock& clock)
    : stub_(std::move(stub)),
      retrier_(std::move(options), clock),
      clock_(clock) {}

absl::Status Client::SendPrompts(
    grpc::ClientWriterInterface<v1::CreateJobRequest>& writer,
    const v1::JobHeader& header, const PromptsFile& prompts) {
  v1::CreateJobRequest request;
  // The header goes first and alone; the service judges it before the file.
  *request.mutable_header() = header;
  // False means that the call has ended; its status says why.
  if (!writer.Write(request)) return absl::OkStatus();
  for (int64_t offset = 0;;) {
    ASSIGN_OR_RETURN(std::string bytes, prompts.Read(offset, kChunkBytes));
    // The file is as long as it is read: it may have grown since.
    if (bytes.empty()) break;
    offset += static_cast<int64_t>(bytes.size());
    request.set_prompts_chunk(std::move(bytes));
    // A false write means that the service has already answered; Finish tells
    // what.
    if (!writer.Write(request)) return absl::OkStatus();
  }
  // Only now does the service know that the file was not cut short.
  writer.WritesDone();
  return absl::OkStatus();
}

absl::StatusOr<v1::Job> Client::CreateJob(const v1::JobHeader& header,
                                          const PromptsFile& prompts) {
  v1::Job job;
  RETURN_IF_ERROR(retrier_.Run([&](bool&) -> absl::Status {
    grpc::ClientContext context;
    // Grows with the file: a large one takes as long as its link needs.
    SetDeadline(context, clock_,
                absl::Minutes(1) +
                    absl::Seconds(prompts.size() / kSlowestBytesPerSecond));
    auto writer = stub_->CreateJob(&context, &job);
    // An error of the file ends the call; cancelling it makes the service drop
    // the job that was begun.
    const absl::Status sent = SendPrompts(*writer, header, prompts);
    if (!sent.ok()) context.TryCancel();
    const grpc::Status finished = writer->Finish();
    // Our own error, not the CANCELLED that it caused.
    RETURN_IF_ERROR(sent);
    return rpc::FromGrpcStatus(finished);
  }));
  return job;
}

template <typename Request, typename Response>
absl::StatusOr<Response> Client::Unary(
    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                 Response*),
    const Request& request) {
  Response response;
  // One context a try: gRPC does not allow one to be used twice.
  RETURN_IF_ERROR(retrier_.Run([&](bool&) {
    grpc::ClientContext context;
    SetDeadline(context, clock_, kCallDeadline);
    return rpc::FromGrpcStatus(
        ((*stub_).*method)(&context, request, &response));
  }));
  return response;
}

absl::StatusOr<v1::Job> Client::GetJob(const std::string& job_id) {
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  return Unary(&Stub::GetJob, request);
}

absl::StatusOr<v1::Job> Client::CancelJob(const std::string& job_id) {
  v1::CancelJobRequest request;
  request.set_job_id(job_id);
  return Unary(&Stub::CancelJob, request);
}

absl::StatusOr<v1::ListJobsResponse> Client::ListJobs(
    const v1::ListJobsRequest& request) {
  return Unary(&Stub::ListJobs, request);
}

absl::StatusOr<v1::ListImagesResponse> Client::ListImages(
    const v1::ListImagesRequest& request) {
  return Unary(&Stub::ListImages, request);
}

absl::StatusOr<v1::ListWorkersResponse> Client::ListWorkers() {
  return Unary(&Stub::ListWorkers, v1::ListWorkersRequest());
}

absl::StatusOr<v1::Job> Client::WatchJob(
    const std::string& job_id,
    const std::function<void(const v1::Job&)>& on_change) {
  v1::WatchJobRequest request;
  request.set_job_id(job_id);
  v1::Job job;
  RETURN_IF_ERROR(retrier_.Run([&](bool& answered) -> absl::Status {
    grpc::ClientContext context;
    SetDeadline(context, clock_, kWatchDeadline);
    auto reader = stub_->WatchJob(&context, request);
    // Each state that is read renews the patience, so that a job may take days
    // as long as the service is heard of.
    while (reader->Read(&job)) {
      answered = true;
      on_change(job);
    }
    const grpc::Status finished = reader->Finish();
    // The state decides, not the status: after the last one the connection may
    // break as it likes.
    if (answered && IsTerminal(job.state())) return absl::OkStatus();
    if (!finished.ok()) return rpc::FromGrpcStatus(finished);
    // A stream that ends well without a terminal state was closed by a service
    // that is shutting down; watch again.
    return absl::UnavailableError("the stream ended before the job");
  }));
  return job;
}

Client Connect(ClientOptions options, Clock& clock) {
  // Connects with the first call; an unreachable address shows there.
  auto channel = rpc::MakeChannel(options.coordinator);
  return Client(v1::GenerationService::NewStub(channel), std::move(options),
                clock);
}

}  // namespace tessera::client
