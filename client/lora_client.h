// Blocking calls of the registry of LoRAs.
#ifndef TESSERA_CLIENT_LORA_CLIENT_H_
#define TESSERA_CLIENT_LORA_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/retrier.h"
#include "common/clock.h"
#include "common/file_descriptor.h"
#include "tessera/v1/lora_service.grpc.pb.h"

namespace tessera::client {

// A file that is pushed: its digest is taken before the first byte is sent.
struct LoraFile {
  // Opens and digests `path`. Errors: INVALID_ARGUMENT that names the path when
  // it cannot be read, is empty or no file.
  static absl::StatusOr<LoraFile> Open(const std::string& path);

  FileDescriptor file;
  std::string sha256;
  int64_t size = 0;  // bytes
};

// Calls the service and repeats what fails for a reason that passes; errors are
// those of Client. Thread-compatible.
class LoraClient {
 public:
  using Stub = v1::LoraService::StubInterface;

  LoraClient(std::unique_ptr<Stub> stub, ClientOptions options, Clock& clock);

  // Registers `file` under `name`. Bytes that the service holds already are not
  // sent: a push that broke off, in this call or an earlier one, goes on where
  // it stopped. `on_progress` is told how many bytes the service has been sent.
  absl::StatusOr<v1::Lora> Push(
      const std::string& name, const LoraFile& file,
      const std::function<void(int64_t sent)>& on_progress);

  absl::StatusOr<v1::ListLorasResponse> List(
      const v1::ListLorasRequest& request);

  // Deletes "name" or "name@sha256".
  absl::Status Delete(const std::string& name);

 private:
  absl::StatusOr<int64_t> QueryUpload(const LoraFile& file);
  absl::Status Send(
      grpc::ClientWriterInterface<v1::RegisterLoraRequest>& writer,
      const v1::LoraHeader& header, const LoraFile& file,
      const std::function<void(int64_t sent)>& on_progress);

  std::unique_ptr<Stub> stub_;
  Retrier retrier_;
  Clock& clock_;
};

// Makes a client of the coordinator at `options.coordinator`.
LoraClient ConnectLoras(ClientOptions options, Clock& clock);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_LORA_CLIENT_H_
