// LoRA files from the coordinator's registry, over gRPC.
#ifndef TESSERA_WORKER_LORA_DOWNLOAD_GRPC_H_
#define TESSERA_WORKER_LORA_DOWNLOAD_GRPC_H_

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/client_context.h"
#include "tessera/v1/lora_service.grpc.pb.h"
#include "worker/lora/blob_source.h"

namespace tessera::worker {

// Streams files by LoraService.DownloadLora, one call a fetch. A stream ends
// with DEADLINE_EXCEEDED after half a minute, so that a silent connection is
// noticed; ResumingSource goes on from there. Thread-safe.
class GrpcLoraSource final : public lora::BlobSource {
 public:
  using Stub = v1::LoraService::StubInterface;

  explicit GrpcLoraSource(std::unique_ptr<Stub> stub);

  absl::Status Fetch(const std::string& sha256, int64_t offset,
                     const lora::BlobSink& sink) override;
  void Stop() override;

 private:
  // Brackets a call, so that Stop knows which are under way.
  bool Enter(grpc::ClientContext* call);
  void Exit(grpc::ClientContext* call);

  const std::unique_ptr<Stub> stub_;
  absl::Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mu_);  // under way
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_LORA_DOWNLOAD_GRPC_H_
