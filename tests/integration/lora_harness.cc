#include "tests/integration/lora_harness.h"

#include "common/rpc/status.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"

namespace tessera::coordinator {

LoraHarness::LoraHarness(ServiceHarness& service)
    : stub_(v1::LoraService::NewStub(service.Channel())) {}

v1::LoraHeader LoraHarness::Header(const std::string& name,
                                   const std::string& bytes) {
  v1::LoraHeader header;
  header.set_name(name);
  header.set_sha256(Sha256Hex(bytes));
  header.set_size_bytes(static_cast<int64_t>(bytes.size()));
  return header;
}

absl::StatusOr<v1::Lora> LoraHarness::Send(const v1::LoraHeader& header,
                                           const std::string& bytes,
                                           size_t piece) {
  grpc::ClientContext context;
  v1::Lora lora;
  auto writer = stub_->RegisterLora(&context, &lora);
  v1::RegisterLoraRequest request;
  *request.mutable_header() = header;
  bool open = writer->Write(request);
  for (size_t i = 0; open && i < bytes.size(); i += piece) {
    request.set_chunk(bytes.substr(i, piece));
    open = writer->Write(request);
  }
  if (open) writer->WritesDone();
  RETURN_IF_ERROR(rpc::FromGrpcStatus(writer->Finish()));
  return lora;
}

absl::StatusOr<v1::Lora> LoraHarness::Push(const std::string& name,
                                           const std::string& bytes) {
  return Send(Header(name, bytes), bytes, 1 << 20);
}

void LoraHarness::PushPart(const std::string& name, const std::string& bytes,
                           size_t count) {
  grpc::ClientContext context;
  v1::Lora lora;
  auto writer = stub_->RegisterLora(&context, &lora);
  v1::RegisterLoraRequest request;
  *request.mutable_header() = Header(name, bytes);
  writer->Write(request);
  request.set_chunk(bytes.substr(0, count));
  writer->Write(request);
  // The write only left this process: the break must not overtake it.
  const int64_t sent = static_cast<int64_t>(count);
  while (Received(bytes).value_or(sent) < sent) {
  }
  context.TryCancel();
  writer->Finish();
}

absl::StatusOr<int64_t> LoraHarness::Received(const std::string& bytes) {
  grpc::ClientContext context;
  v1::QueryUploadRequest request;
  request.set_sha256(Sha256Hex(bytes));
  v1::QueryUploadResponse response;
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->QueryUpload(&context, request, &response)));
  return response.received_bytes();
}

absl::StatusOr<v1::Lora> LoraHarness::Get(const std::string& name) {
  grpc::ClientContext context;
  v1::GetLoraRequest request;
  request.set_name(name);
  v1::Lora lora;
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->GetLora(&context, request, &lora)));
  return lora;
}

absl::StatusOr<v1::ListLorasResponse> LoraHarness::List(
    int page_size, const std::string& token) {
  grpc::ClientContext context;
  v1::ListLorasRequest request;
  request.set_page_size(page_size);
  request.set_page_token(token);
  v1::ListLorasResponse response;
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->ListLoras(&context, request, &response)));
  return response;
}

absl::Status LoraHarness::Delete(const std::string& name) {
  grpc::ClientContext context;
  v1::DeleteLoraRequest request;
  request.set_name(name);
  v1::DeleteLoraResponse response;
  return rpc::FromGrpcStatus(stub_->DeleteLora(&context, request, &response));
}

absl::StatusOr<std::string> LoraHarness::Download(const std::string& sha256,
                                                  int64_t offset) {
  grpc::ClientContext context;
  v1::DownloadLoraRequest request;
  request.set_sha256(sha256);
  request.set_offset(offset);
  auto reader = stub_->DownloadLora(&context, request);
  std::string bytes;
  v1::DownloadLoraResponse response;
  while (reader->Read(&response)) bytes += response.chunk();
  RETURN_IF_ERROR(rpc::FromGrpcStatus(reader->Finish()));
  return bytes;
}

}  // namespace tessera::coordinator
