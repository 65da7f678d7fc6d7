#include "client/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/exit_codes.h"
#include "client/retry.h"
#include "common/rpc/channel.h"
#include "common/rpc/status.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

constexpr int64_t kChunkBytes = 256 << 10;
constexpr absl::Duration kCallDeadline = absl::Seconds(20);
// A stream is renewed after this long, so that a peer that hangs without
// closing is noticed.
constexpr absl::Duration kWatchDeadline = absl::Minutes(10);
// What the slowest sensible link and validation take for a file of prompts.
constexpr double kSlowestBytesPerSecond = 1 << 20;

void SetDeadline(grpc::ClientContext& context, Clock& clock,
                 absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(clock.Now() + timeout));
}

}  // namespace

Client::Client(std::unique_ptr<Stub> stub, ClientOptions options, Clock& clock)
    : stub_(std::move(stub)),
      options_(std::move(options)),
      clock_(clock),
      random_(std::random_device()()) {}

absl::Status Client::Retry(
    const std::function<absl::Status(bool& answered)>& call) {
  absl::Time last_answer = clock_.Now();
  for (int attempt = 1;; ++attempt) {
    bool answered = false;
    const absl::Status status = call(answered);
    contacted_ = contacted_ || answered || !IsTransient(status);
    if (!IsTransient(status)) return status;
    if (answered) {
      attempt = 1;
      last_answer = clock_.Now();
    }
    const absl::Duration patience =
        contacted_
            ? std::max(options_.patience_after_contact, options_.patience)
            : options_.patience;
    if (clock_.Now() - last_answer >= patience) {
      return absl::Status(
          status.code(),
          absl::StrCat("cannot reach the coordinator at ", options_.coordinator,
                       ": ", std::string(status.message())));
    }
    if (options_.on_retry) options_.on_retry(status);
    const double jitter = std::uniform_real_distribution<double>(0, 1)(random_);
    Pause(clock_, RetryDelay(attempt, jitter));
  }
}

absl::Status Client::SendPrompts(
    grpc::ClientWriterInterface<v1::CreateJobRequest>& writer,
    const v1::JobHeader& header, const PromptsFile& prompts) {
  v1::CreateJobRequest request;
  *request.mutable_header() = header;
  if (!writer.Write(request)) return absl::OkStatus();
  for (int64_t offset = 0;;) {
    ASSIGN_OR_RETURN(std::string bytes, prompts.Read(offset, kChunkBytes));
    if (bytes.empty()) break;
    offset += static_cast<int64_t>(bytes.size());
    request.set_prompts_chunk(std::move(bytes));
    // A false write means that the service has already answered; Finish tells
    // what.
    if (!writer.Write(request)) return absl::OkStatus();
  }
  writer.WritesDone();
  return absl::OkStatus();
}

absl::StatusOr<v1::Job> Client::CreateJob(const v1::JobHeader& header,
                                          const PromptsFile& prompts) {
  v1::Job job;
  RETURN_IF_ERROR(Retry([&](bool&) -> absl::Status {
    grpc::ClientContext context;
    SetDeadline(context, clock_,
                absl::Minutes(1) +
                    absl::Seconds(prompts.size() / kSlowestBytesPerSecond));
    auto writer = stub_->CreateJob(&context, &job);
    const absl::Status sent = SendPrompts(*writer, header, prompts);
    if (!sent.ok()) context.TryCancel();
    const grpc::Status finished = writer->Finish();
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
  RETURN_IF_ERROR(Retry([&](bool&) {
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
  RETURN_IF_ERROR(Retry([&](bool& answered) -> absl::Status {
    grpc::ClientContext context;
    SetDeadline(context, clock_, kWatchDeadline);
    auto reader = stub_->WatchJob(&context, request);
    while (reader->Read(&job)) {
      answered = true;
      on_change(job);
    }
    const grpc::Status finished = reader->Finish();
    if (answered && IsTerminal(job.state())) return absl::OkStatus();
    if (!finished.ok()) return rpc::FromGrpcStatus(finished);
    return absl::UnavailableError("the stream ended before the job");
  }));
  return job;
}

Client Connect(ClientOptions options, Clock& clock) {
  auto channel = rpc::MakeChannel(options.coordinator);
  return Client(v1::GenerationService::NewStub(channel), std::move(options),
                clock);
}

}  // namespace tessera::client
