#include "coordinator/service/register_lora_call.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/handover.h"
#include "common/status_macros.h"
#include "coordinator/service/lora_codec.h"

namespace tessera::coordinator {
namespace {

// The limit that the API names; a client that sends more has a fault.
constexpr size_t kMaxChunkBytes = 1 << 20;

}  // namespace

RegisterLoraCall::RegisterLoraCall(const CallFrame& frame, LoraLibrary& library,
                                   std::atomic<int>& active,
                                   grpc::CallbackServerContext* context,
                                   v1::Lora* response)
    : frame_(frame),
      library_(library),
      active_(active),
      context_(context),
      response_(response),
      timer_(frame, "RegisterLora") {
  if (++active_ > kMaxLoraUploads) {
    Answer(absl::ResourceExhaustedError(absl::StrCat(
        "already receiving ", kMaxLoraUploads, " LoRAs; try again later")));
    return;
  }
  rpc::HandOver(this);
  StartRead(&request_);
}

RegisterLoraCall::~RegisterLoraCall() { --active_; }

void RegisterLoraCall::OnReadDone(bool ok) {
  rpc::TakeOver(this);
  // Run whatever waits: the call was admitted, and each has one entry at most.
  frame_.pool.Run([this, ok] { ok ? TakeMessage() : EndOfStream(); });
}

void RegisterLoraCall::OnDone() {
  rpc::TakeOver(this);
  delete this;
}

// Takes a header or a chunk and asks for the next message, or answers.
void RegisterLoraCall::TakeMessage() {
  absl::StatusOr<std::optional<LoraEntry>> known = Handle(request_);
  if (!known.ok()) return Answer(known.status());
  // Answered before the bytes are sent: they are held already.
  if (known->has_value()) return Answer(**std::move(known));
  rpc::HandOver(this);
  StartRead(&request_);
}

// Returns the LoRA when a header alone was enough, nothing when the upload goes
// on.
absl::StatusOr<std::optional<LoraEntry>> RegisterLoraCall::Handle(
    const v1::RegisterLoraRequest& request) {
  if (header_.has_value()) {
    RETURN_IF_ERROR(request.has_header()
                        ? absl::InvalidArgumentError(
                              "only the first message may be a header")
                        : TakeChunk(request.chunk()));
    return std::nullopt;
  }
  if (!request.has_header()) {
    return absl::InvalidArgumentError("the first message must be the header");
  }
  // Everything that can be refused without the bytes is refused now.
  ASSIGN_OR_RETURN(header_, DecodeLoraHeader(request.header()));
  offset_ = header_->offset;
  return library_.Begin(*header_);
}

// Appends the next bytes of the file.
absl::Status RegisterLoraCall::TakeChunk(const std::string& chunk) {
  if (chunk.size() > kMaxChunkBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk: must be at most ", kMaxChunkBytes, " bytes, got ",
                     chunk.size()));
  }
  // Written before the next message is asked for: that is the flow control.
  RETURN_IF_ERROR(library_.Append(*header_, offset_, chunk));
  offset_ += static_cast<int64_t>(chunk.size());
  return absl::OkStatus();
}

// Ends the upload, unless the stream ended because the client went away.
void RegisterLoraCall::EndOfStream() {
  if (context_->IsCancelled()) {
    return Answer(absl::CancelledError("the client went away"));
  }
  if (!header_.has_value()) {
    return Answer(absl::InvalidArgumentError("the header is missing"));
  }
  // The slow part, reading and parsing the whole file, is done on the pool.
  Answer(library_.Finish(*header_, offset_));
}

// Ends the call with what became of it.
void RegisterLoraCall::Answer(const absl::StatusOr<LoraEntry>& entry) {
  if (entry.ok()) *response_ = EncodeLora(*entry);
  frame_.metrics.CountLoraPush(entry.status().code());
  const grpc::Status answer = timer_.Answer(entry.status());
  rpc::HandOver(this);
  Finish(answer);
}

}  // namespace tessera::coordinator
