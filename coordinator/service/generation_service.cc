#include "coordinator/service/generation_service.h"

#include "common/status_macros.h"
#include "coordinator/service/codec.h"
#include "coordinator/service/create_job_call.h"

namespace tessera::coordinator {
namespace {

// Entries a page when the client names no size: a screenful or two.
constexpr int64_t kDefaultJobs = 50;
constexpr int64_t kDefaultImages = 100;

// Answers ListJobs. The token is the number of the last job of the page before,
// so jobs that come meanwhile do not shift the pages.
absl::StatusOr<v1::ListJobsResponse> ListJobPage(
    Coordinator& coordinator, const v1::ListJobsRequest& request) {
  ASSIGN_OR_RETURN(const int64_t size,
                   DecodePageSize(request.page_size(), kDefaultJobs));
  ASSIGN_OR_RETURN(const int64_t before, DecodePageToken(request.page_token()));
  ASSIGN_OR_RETURN(const JobPage page, coordinator.ListJobs(before, size));
  v1::ListJobsResponse response;
  for (const Job& job : page.jobs) *response.add_jobs() = EncodeJob(job);
  response.set_next_page_token(EncodePageToken(page.next));
  return response;
}

// Answers ListImages. A page ends with a whole shard, so it may hold more than
// was asked for; the token is the shard to go on with.
absl::StatusOr<v1::ListImagesResponse> ListImagePage(
    Coordinator& coordinator, const v1::ListImagesRequest& request) {
  ASSIGN_OR_RETURN(const JobId job, DecodeJobId(request.job_id()));
  ASSIGN_OR_RETURN(const int64_t size,
                   DecodePageSize(request.page_size(), kDefaultImages));
  ASSIGN_OR_RETURN(const int64_t first, DecodePageToken(request.page_token()));
  ASSIGN_OR_RETURN(const ImagePage page,
                   coordinator.ListImages(job, first, size));
  v1::ListImagesResponse response;
  for (const ImageRecord& image : page.images) {
    *response.add_images() = EncodeImage(image);
  }
  response.set_next_page_token(EncodePageToken(page.next_shard));
  return response;
}

}  // namespace

GenerationService::GenerationService(const CallFrame& frame,
                                     Coordinator& coordinator,
                                     JobWatchers& watchers)
    : frame_(frame), coordinator_(coordinator), watchers_(watchers) {}

// gRPC asks for a reactor on its own thread; the call reads from there on.
grpc::ServerReadReactor<v1::CreateJobRequest>* GenerationService::CreateJob(
    grpc::CallbackServerContext* context, v1::Job* response) {
  return new CreateJobCall(frame_, coordinator_, submissions_, context,
                           response);
}

grpc::ServerUnaryReactor* GenerationService::GetJob(
    grpc::CallbackServerContext* context, const v1::GetJobRequest* request,
    v1::Job* response) {
  return ServeUnary(frame_, "GetJob", context, response,
                    // gRPC keeps `request` and `response` until the reactor
                    // finishes, so the handlers borrow them.
                    [this, request]() -> absl::StatusOr<v1::Job> {
                      ASSIGN_OR_RETURN(const JobId id,
                                       DecodeJobId(request->job_id()));
                      ASSIGN_OR_RETURN(const Job job, coordinator_.GetJob(id));
                      return EncodeJob(job);
                    });
}

grpc::ServerUnaryReactor* GenerationService::ListJobs(
    grpc::CallbackServerContext* context, const v1::ListJobsRequest* request,
    v1::ListJobsResponse* response) {
  return ServeUnary(frame_, "ListJobs", context, response, [this, request] {
    return ListJobPage(coordinator_, *request);
  });
}

grpc::ServerUnaryReactor* GenerationService::CancelJob(
    grpc::CallbackServerContext* context, const v1::CancelJobRequest* request,
    v1::Job* response) {
  return ServeUnary(
      frame_, "CancelJob", context, response,
      [this, request]() -> absl::StatusOr<v1::Job> {
        ASSIGN_OR_RETURN(const JobId id, DecodeJobId(request->job_id()));
        ASSIGN_OR_RETURN(const Job job, coordinator_.CancelJob(id));
        return EncodeJob(job);
      });
}

grpc::ServerWriteReactor<v1::Job>* GenerationService::WatchJob(
    grpc::CallbackServerContext*, const v1::WatchJobRequest* request) {
  // An empty id is answered like any other that is unknown, with NOT_FOUND.
  return watchers_.Watch(JobId(request->job_id()));
}

grpc::ServerUnaryReactor* GenerationService::ListImages(
    grpc::CallbackServerContext* context, const v1::ListImagesRequest* request,
    v1::ListImagesResponse* response) {
  return ServeUnary(frame_, "ListImages", context, response, [this, request] {
    return ListImagePage(coordinator_, *request);
  });
}

grpc::ServerUnaryReactor* GenerationService::ListWorkers(
    grpc::CallbackServerContext* context, const v1::ListWorkersRequest*,
    v1::ListWorkersResponse* response) {
  return ServeUnary(frame_, "ListWorkers", context, response,
                    [this]() -> absl::StatusOr<v1::ListWorkersResponse> {
                      ASSIGN_OR_RETURN(const std::vector<Worker> workers,
                                       coordinator_.ListWorkers());
                      v1::ListWorkersResponse answer;
                      for (const Worker& worker : workers) {
                        *answer.add_workers() = EncodeWorker(worker);
                      }
                      return answer;
                    });
}

}  // namespace tessera::coordinator
