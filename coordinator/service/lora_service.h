// The public API of the registry of LoRAs: decode, one call, encode.
#ifndef TESSERA_COORDINATOR_SERVICE_LORA_SERVICE_H_
#define TESSERA_COORDINATOR_SERVICE_LORA_SERVICE_H_

#include <atomic>

#include "coordinator/coordinator.h"
#include "coordinator/lora_library.h"
#include "coordinator/service/call_frame.h"
#include "tessera/v1/lora_service.grpc.pb.h"

namespace tessera::coordinator {

// Serves tessera.v1.LoraService. Thread-safe.
class LoraService final : public v1::LoraService::CallbackService {
 public:
  // References must outlive the service and its calls. Calls digest and read
  // whole files on the frame's pool, so it should not be the one that workers
  // wait for.
  LoraService(const CallFrame& frame, Coordinator& coordinator,
              LoraLibrary& library);

  grpc::ServerUnaryReactor* QueryUpload(
      grpc::CallbackServerContext* context,
      const v1::QueryUploadRequest* request,
      v1::QueryUploadResponse* response) override;
  grpc::ServerReadReactor<v1::RegisterLoraRequest>* RegisterLora(
      grpc::CallbackServerContext* context, v1::Lora* response) override;
  grpc::ServerUnaryReactor* GetLora(grpc::CallbackServerContext* context,
                                    const v1::GetLoraRequest* request,
                                    v1::Lora* response) override;
  grpc::ServerUnaryReactor* ListLoras(grpc::CallbackServerContext* context,
                                      const v1::ListLorasRequest* request,
                                      v1::ListLorasResponse* response) override;
  grpc::ServerUnaryReactor* DeleteLora(
      grpc::CallbackServerContext* context,
      const v1::DeleteLoraRequest* request,
      v1::DeleteLoraResponse* response) override;
  grpc::ServerWriteReactor<v1::DownloadLoraResponse>* DownloadLora(
      grpc::CallbackServerContext* context,
      const v1::DownloadLoraRequest* request) override;

 private:
  const CallFrame& frame_;
  Coordinator& coordinator_;
  LoraLibrary& library_;
  std::atomic<int> uploads_{0};
  std::atomic<int> downloads_{0};
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_LORA_SERVICE_H_
