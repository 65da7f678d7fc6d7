#include "coordinator/service/download_lora_call.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/handover.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Large enough that calls do not matter, small enough for many at once.
constexpr int64_t kChunkBytes = 256 << 10;

}  // namespace

DownloadLoraCall::DownloadLoraCall(const CallFrame& frame, LoraLibrary& library,
                                   std::atomic<int>& active,
                                   const v1::DownloadLoraRequest& request)
    : frame_(frame),
      library_(library),
      active_(active),
      request_(request),
      timer_(frame, "DownloadLora") {
  if (++active_ > kMaxLoraDownloads) {
    Answer(absl::ResourceExhaustedError(absl::StrCat(
        "already sending ", kMaxLoraDownloads, " LoRAs; try again later")));
    return;
  }
  if (!frame_.pool.TryRun([this] { Open(); })) Answer(CallFrame::Overloaded());
}

DownloadLoraCall::~DownloadLoraCall() { --active_; }

// Finds the file and sends its first chunk.
void DownloadLoraCall::Open() {
  // Holds the file open to the end of the call, so that a deletion meanwhile
  // does not cut it.
  absl::StatusOr<std::unique_ptr<BlobReader>> reader =
      library_.Read(request_.sha256());
  if (!reader.ok()) return Answer(reader.status());
  reader_ = *std::move(reader);
  offset_ = request_.offset();
  if (offset_ < 0 || offset_ > reader_->size()) {
    return Answer(absl::InvalidArgumentError(
        absl::StrCat("offset: must be from 0 to the size, ", reader_->size(),
                     ", got ", offset_)));
  }
  SendNext();
}

// Sends the next chunk, or ends the call after the last.
void DownloadLoraCall::SendNext() {
  if (cancelled_) return Answer(absl::CancelledError("the client went away"));
  absl::StatusOr<std::string> bytes = reader_->Read(offset_, kChunkBytes);
  if (!bytes.ok()) return Answer(bytes.status());
  if (bytes->empty()) {
    // A file that was cut behind our back must not look complete.
    return Answer(offset_ == reader_->size()
                      ? absl::OkStatus()
                      : absl::DataLossError(absl::StrCat(
                            "LoRA file is truncated: ", request_.sha256())));
  }
  offset_ += static_cast<int64_t>(bytes->size());
  // Stays untouched until OnWriteDone, as gRPC may still read it.
  response_.set_chunk(*std::move(bytes));
  rpc::HandOver(this);
  StartWrite(&response_);
}

void DownloadLoraCall::OnWriteDone(bool ok) {
  rpc::TakeOver(this);
  if (!ok) return Answer(absl::CancelledError("the client went away"));
  // The disk is read on the pool, as gRPC's own threads must not wait.
  frame_.pool.Run([this] { SendNext(); });
}

// Only leaves a note: a write that is under way ends by itself, and the step
// after it sees the note.
void DownloadLoraCall::OnCancel() { cancelled_ = true; }

void DownloadLoraCall::OnDone() {
  rpc::TakeOver(this);
  delete this;
}

// Ends the call with its status.
void DownloadLoraCall::Answer(const absl::Status& status) {
  const grpc::Status answer = timer_.Answer(status);
  rpc::HandOver(this);
  Finish(answer);
}

}  // namespace tessera::coordinator
