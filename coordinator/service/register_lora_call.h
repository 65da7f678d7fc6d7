// The call that receives a LoRA's file.
#ifndef TESSERA_COORDINATOR_SERVICE_REGISTER_LORA_CALL_H_
#define TESSERA_COORDINATOR_SERVICE_REGISTER_LORA_CALL_H_

#include <atomic>
#include <optional>

#include "coordinator/lora_library.h"
#include "coordinator/service/call_frame.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "tessera/v1/lora_service.pb.h"

namespace tessera::coordinator {

// Most files that are received at once.
inline constexpr int kMaxLoraUploads = 64;

// Reads one message at a time and only asks for the next when the last is
// written, so that a fast client waits for a slow disk. Nothing is undone when
// the client goes away: what came is kept for its next attempt. Deletes itself.
class RegisterLoraCall final
    : public grpc::ServerReadReactor<v1::RegisterLoraRequest> {
 public:
  // `active` counts the calls of this kind. References and pointers outlive
  // the call.
  RegisterLoraCall(const CallFrame& frame, LoraLibrary& library,
                   std::atomic<int>& active,
                   grpc::CallbackServerContext* context, v1::Lora* response);
  ~RegisterLoraCall() override;

  void OnReadDone(bool ok) override;
  void OnDone() override;

 private:
  void TakeMessage();
  void EndOfStream();
  absl::StatusOr<std::optional<LoraEntry>> Handle(
      const v1::RegisterLoraRequest& request);
  absl::Status TakeChunk(const std::string& chunk);
  void Answer(const absl::StatusOr<LoraEntry>& entry);

  const CallFrame& frame_;
  LoraLibrary& library_;
  std::atomic<int>& active_;
  grpc::CallbackServerContext* const context_;
  v1::Lora* const response_;
  const CallTimer timer_;
  v1::RegisterLoraRequest request_;
  std::optional<LoraHeader> header_;  // nothing before the first message
  int64_t offset_ = 0;                // of the next chunk
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_REGISTER_LORA_CALL_H_
