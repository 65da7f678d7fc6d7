// The public API: decode, one call, encode.
#ifndef TESSERA_COORDINATOR_SERVICE_GENERATION_SERVICE_H_
#define TESSERA_COORDINATOR_SERVICE_GENERATION_SERVICE_H_

#include <atomic>

#include "coordinator/coordinator.h"
#include "coordinator/service/call_frame.h"
#include "coordinator/service/job_watchers.h"
#include "tessera/v1/generation_service.grpc.pb.h"

namespace tessera::coordinator {

// Serves tessera.v1.GenerationService. Thread-safe.
class GenerationService final : public v1::GenerationService::CallbackService {
 public:
  // References must outlive the service and its calls.
  GenerationService(const CallFrame& frame, Coordinator& coordinator,
                    JobWatchers& watchers);

  grpc::ServerReadReactor<v1::CreateJobRequest>* CreateJob(
      grpc::CallbackServerContext* context, v1::Job* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request,
                                   v1::Job* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const v1::CancelJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerWriteReactor<v1::Job>* WatchJob(
      grpc::CallbackServerContext* context,
      const v1::WatchJobRequest* request) override;
  grpc::ServerUnaryReactor* ListImages(
      grpc::CallbackServerContext* context,
      const v1::ListImagesRequest* request,
      v1::ListImagesResponse* response) override;
  grpc::ServerUnaryReactor* ListWorkers(
      grpc::CallbackServerContext* context,
      const v1::ListWorkersRequest* request,
      v1::ListWorkersResponse* response) override;

 private:
  const CallFrame& frame_;
  Coordinator& coordinator_;
  JobWatchers& watchers_;
  std::atomic<int> submissions_{0};
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_GENERATION_SERVICE_H_
