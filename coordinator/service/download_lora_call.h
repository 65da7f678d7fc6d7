// The call that sends a LoRA's file.
#ifndef TESSERA_COORDINATOR_SERVICE_DOWNLOAD_LORA_CALL_H_
#define TESSERA_COORDINATOR_SERVICE_DOWNLOAD_LORA_CALL_H_

#include <atomic>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/blob_store.h"
#include "coordinator/lora_library.h"
#include "coordinator/service/call_frame.h"
#include "grpcpp/support/server_callback.h"
#include "tessera/v1/lora_service.pb.h"

namespace tessera::coordinator {

// Most files that are sent at once; workers try again later.
inline constexpr int kMaxLoraDownloads = 256;

// Reads a chunk only when the one before was taken, so that a slow client costs
// the memory of one. Deletes itself.
class DownloadLoraCall final
    : public grpc::ServerWriteReactor<v1::DownloadLoraResponse> {
 public:
  // `active` counts the calls of this kind. References outlive the call.
  DownloadLoraCall(const CallFrame& frame, LoraLibrary& library,
                   std::atomic<int>& active,
                   const v1::DownloadLoraRequest& request);
  ~DownloadLoraCall() override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void Open();
  void SendNext();
  void Answer(const absl::Status& status);

  const CallFrame& frame_;
  LoraLibrary& library_;
  std::atomic<int>& active_;
  const v1::DownloadLoraRequest request_;
  const CallTimer timer_;
  // One of construction, the pool's task and OnWriteDone runs at a time.
  std::unique_ptr<BlobReader> reader_;
  int64_t offset_ = 0;  // of the next chunk
  v1::DownloadLoraResponse response_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_DOWNLOAD_LORA_CALL_H_
