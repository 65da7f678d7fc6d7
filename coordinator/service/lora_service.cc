#include "coordinator/service/lora_service.h"

#include "common/status_macros.h"
#include "coordinator/service/codec.h"
#include "coordinator/service/download_lora_call.h"
#include "coordinator/service/lora_codec.h"
#include "coordinator/service/register_lora_call.h"

namespace tessera::coordinator {
namespace {

// What a page holds when the request leaves it open.
constexpr int64_t kDefaultLoras = 100;

// Serves ListLoras.
absl::StatusOr<v1::ListLorasResponse> ListLoraPage(
    Coordinator& coordinator, const v1::ListLorasRequest& request) {
  ASSIGN_OR_RETURN(const int64_t size,
                   DecodePageSize(request.page_size(), kDefaultLoras));
  ASSIGN_OR_RETURN(const std::string after,
                   DecodeLoraPageToken(request.page_token()));
  ASSIGN_OR_RETURN(const LoraPage page, coordinator.ListLoras(after, size));
  return EncodeLoraPage(page);
}

}  // namespace

LoraService::LoraService(const CallFrame& frame, Coordinator& coordinator,
                         LoraLibrary& library)
    : frame_(frame), coordinator_(coordinator), library_(library) {}

// Each unary method decodes, makes one call and encodes; ServeUnary moves all
// of that to the pool, as the calls wait for the disk.
grpc::ServerUnaryReactor* LoraService::QueryUpload(
    grpc::CallbackServerContext* context, const v1::QueryUploadRequest* request,
    v1::QueryUploadResponse* response) {
  return ServeUnary(
      frame_, "QueryUpload", context, response,
      [this, request]() -> absl::StatusOr<v1::QueryUploadResponse> {
        v1::QueryUploadResponse answer;
        ASSIGN_OR_RETURN(const int64_t received,
                         library_.ReceivedBytes(request->sha256()));
        answer.set_received_bytes(received);
        return answer;
      });
}

grpc::ServerReadReactor<v1::RegisterLoraRequest>* LoraService::RegisterLora(
    grpc::CallbackServerContext* context, v1::Lora* response) {
  // Owns itself from here on; gRPC tells it when it is over.
  return new RegisterLoraCall(frame_, library_, uploads_, context, response);
}

grpc::ServerUnaryReactor* LoraService::GetLora(
    grpc::CallbackServerContext* context, const v1::GetLoraRequest* request,
    v1::Lora* response) {
  return ServeUnary(
      frame_, "GetLora", context, response,
      [this, request]() -> absl::StatusOr<v1::Lora> {
        ASSIGN_OR_RETURN(const LoraName name, DecodeLoraName(request->name()));
        ASSIGN_OR_RETURN(const LoraEntry entry, coordinator_.GetLora(name));
        return EncodeLora(entry);
      });
}

grpc::ServerUnaryReactor* LoraService::ListLoras(
    grpc::CallbackServerContext* context, const v1::ListLorasRequest* request,
    v1::ListLorasResponse* response) {
  return ServeUnary(frame_, "ListLoras", context, response, [this, request] {
    return ListLoraPage(coordinator_, *request);
  });
}

grpc::ServerUnaryReactor* LoraService::DeleteLora(
    grpc::CallbackServerContext* context, const v1::DeleteLoraRequest* request,
    v1::DeleteLoraResponse* response) {
  return ServeUnary(
      frame_, "DeleteLora", context, response,
      [this, request]() -> absl::StatusOr<v1::DeleteLoraResponse> {
        ASSIGN_OR_RETURN(const LoraName name, DecodeLoraName(request->name()));
        RETURN_IF_ERROR(library_.Delete(name));
        return v1::DeleteLoraResponse();
      });
}

grpc::ServerWriteReactor<v1::DownloadLoraResponse>* LoraService::DownloadLora(
    grpc::CallbackServerContext*, const v1::DownloadLoraRequest* request) {
  // Copies the request, which is gone when this function returns.
  return new DownloadLoraCall(frame_, library_, downloads_, *request);
}

}  // namespace tessera::coordinator
