#include "worker/lora_download_grpc.h"

#include <utility>

#include "common/rpc/status.h"
#include "common/status_macros.h"
#include "grpc/support/time.h"

namespace tessera::worker {
namespace {

// Long enough for hundreds of megabytes on a slow network, short enough that a
// picture does not wait long for a connection that died in silence.
constexpr int kStreamSeconds = 30;

}  // namespace

GrpcLoraSource::GrpcLoraSource(std::unique_ptr<Stub> stub)
    : stub_(std::move(stub)) {}

absl::Status GrpcLoraSource::Fetch(const std::string& sha256, int64_t offset,
                                   const lora::BlobSink& sink) {
  v1::DownloadLoraRequest request;
  request.set_sha256(sha256);
  request.set_offset(offset);
  grpc::ClientContext call;
  call.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_seconds(kStreamSeconds, GPR_TIMESPAN)));
  // Noted before it begins, so that Stop misses none.
  if (!Enter(&call)) return absl::CancelledError("told to stop");
  const auto reader = stub_->DownloadLora(&call, request);
  // One message at a time: flow control holds the coordinator back while the
  // disk is slow.
  v1::DownloadLoraResponse response;
  absl::Status sunk;
  while (sunk.ok() && reader->Read(&response)) sunk = sink(response.chunk());
  // Finish would otherwise wait for the rest of the file.
  if (!sunk.ok()) call.TryCancel();
  const grpc::Status status = reader->Finish();
  Exit(&call);
  // The sink's error explains the cancelled call better than the call does.
  RETURN_IF_ERROR(sunk);
  return rpc::FromGrpcStatus(status);
}

void GrpcLoraSource::Stop() {
  absl::MutexLock lock(&mu_);
  stopped_ = true;
  for (grpc::ClientContext* call : calls_) call->TryCancel();
}

// Notes a call that Stop is to end. Returns whether it may begin.
bool GrpcLoraSource::Enter(grpc::ClientContext* call) {
  absl::MutexLock lock(&mu_);
  if (!stopped_) calls_.insert(call);
  return !stopped_;
}

// Forgets a call that has ended.
void GrpcLoraSource::Exit(grpc::ClientContext* call) {
  absl::MutexLock lock(&mu_);
  calls_.erase(call);
}

}  // namespace tessera::worker
