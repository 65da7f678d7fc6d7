#include "coordinator/service/create_job_call.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/handover.h"
#include "common/status_macros.h"
#include "coordinator/service/codec.h"

namespace tessera::coordinator {
namespace {

// Largest piece of a file in one message, as the API promises. The client sends
// less; the limit bounds what a read buffers.
constexpr size_t kMaxChunkBytes = 1 << 20;

}  // namespace

CreateJobCall::CreateJobCall(const CallFrame& frame, Coordinator& coordinator,
                             std::atomic<int>& active,
                             grpc::CallbackServerContext* context,
                             v1::Job* response)
    : frame_(frame),
      coordinator_(coordinator),
      active_(active),
      context_(context),
      response_(response),
      timer_(frame, "CreateJob") {
  // Counted first and refused then: two calls that arrive together cannot both
  // take the last place. The destructor counts down in either case.
  if (++active_ > kMaxSubmissions) {
    Finish(timer_.Answer(absl::ResourceExhaustedError(absl::StrCat(
        "already receiving ", kMaxSubmissions, " jobs; try again later"))));
    return;
  }
  rpc::HandOver(this);
  StartRead(&request_);
}

// gRPC calls OnDone for every reactor, refused ones too, so none is leaked.
CreateJobCall::~CreateJobCall() { --active_; }

// Runs on a thread of gRPC's, which must not wait for the store. The queue has
// no limit here because the number of submissions has one, and each has a
// single message on the way.
void CreateJobCall::OnReadDone(bool ok) {
  rpc::TakeOver(this);
  frame_.pool.Run([this, ok] { ok ? TakeMessage() : EndOfStream(); });
}

// Nothing uses the call any more: gRPC promises OnDone as its last callback.
void CreateJobCall::OnDone() {
  rpc::TakeOver(this);
  delete this;
}

// Handles the message in `request_`, then reads the next into the same place:
// the next read is what tells the client that it may send more.
void CreateJobCall::TakeMessage() {
  const absl::Status status = Handle(request_);
  if (!status.ok()) return Answer(status);
  // A repeated submit is answered with the first job, its file unread.
  if (submission_->existing().has_value()) {
    return Answer(*submission_->existing());
  }
  rpc::HandOver(this);
  StartRead(&request_);
}

// Takes the header first, then pieces of the file. An error ends the call; the
// destructor of the submission removes what was stored.
absl::Status CreateJobCall::Handle(v1::CreateJobRequest& request) {
  if (submission_ == nullptr) {
    if (!request.has_header()) {
      return absl::InvalidArgumentError("the first message must be the header");
    }
    ASSIGN_OR_RETURN(submission_,
                     JobSubmission::Begin(coordinator_, request.header()));
    return absl::OkStatus();
  }
  if (request.has_header()) {
    return absl::InvalidArgumentError("only the first message may be a header");
  }
  const std::string& chunk = request.prompts_chunk();
  if (chunk.size() > kMaxChunkBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("prompts_chunk: must be at most ", kMaxChunkBytes,
                     " bytes, got ", chunk.size()));
  }
  return submission_->Add(chunk);
}

// Ends a stream whose client has sent everything, or is gone.
void CreateJobCall::EndOfStream() { Answer(Complete()); }

// Makes the job visible, or says why it never will be.
absl::StatusOr<Job> CreateJobCall::Complete() {
  if (submission_ == nullptr) {
    return absl::InvalidArgumentError("the header is missing");
  }
  // A client that died ends its stream too. Storing the rest takes time in
  // which the cancellation arrives, so a file cut short never becomes a job.
  if (!context_->IsCancelled()) RETURN_IF_ERROR(submission_->EndFile());
  if (context_->IsCancelled()) {
    return absl::CancelledError("the client went away");
  }
  return submission_->Finish();
}

// Ends the call. After this only OnDone may follow: no read is under way.
void CreateJobCall::Answer(const absl::StatusOr<Job>& job) {
  submission_.reset();  // removes a job that was not finished
  if (job.ok()) *response_ = EncodeJob(*job);
  const grpc::Status answer = timer_.Answer(job.status());
  rpc::HandOver(this);
  Finish(answer);
}

}  // namespace tessera::coordinator
