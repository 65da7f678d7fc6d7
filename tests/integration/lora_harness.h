// Calls of a running LoraService, as a client makes them.
#ifndef TESSERA_TESTS_INTEGRATION_LORA_HARNESS_H_
#define TESSERA_TESTS_INTEGRATION_LORA_HARNESS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tessera/v1/lora_service.grpc.pb.h"
#include "tests/integration/service_harness.h"

namespace tessera::coordinator {

// Talks to the registry of a ServiceHarness, whose files are LoRAs when they
// start with "lora ". Make a new one after a restart.
class LoraHarness {
 public:
  explicit LoraHarness(ServiceHarness& service);

  // Returns the header that announces `bytes` under `name`.
  static v1::LoraHeader Header(const std::string& name,
                               const std::string& bytes);

  // Sends `header` and then `bytes` in pieces, and ends the stream.
  absl::StatusOr<v1::Lora> Send(const v1::LoraHeader& header,
                                const std::string& bytes, size_t piece);

  // Pushes all of a file.
  absl::StatusOr<v1::Lora> Push(const std::string& name,
                                const std::string& bytes);

  // Sends the first bytes of a file and breaks the stream.
  void PushPart(const std::string& name, const std::string& bytes,
                size_t count);

  absl::StatusOr<int64_t> Received(const std::string& bytes);
  absl::StatusOr<v1::Lora> Get(const std::string& name);
  absl::StatusOr<v1::ListLorasResponse> List(int page_size,
                                             const std::string& token);
  absl::Status Delete(const std::string& name);

  // Returns the bytes of a file from `offset` on.
  absl::StatusOr<std::string> Download(const std::string& sha256,
                                       int64_t offset);

 private:
  std::unique_ptr<v1::LoraService::Stub> stub_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_TESTS_INTEGRATION_LORA_HARNESS_H_
