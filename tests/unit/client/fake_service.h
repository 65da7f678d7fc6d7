// A service on loopback that answers what the test tells it to.
#ifndef TESSERA_TESTS_UNIT_CLIENT_FAKE_SERVICE_H_
#define TESSERA_TESTS_UNIT_CLIENT_FAKE_SERVICE_H_

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "tessera/v1/generation_service.grpc.pb.h"
#include "tests/support/in_process_server.h"

namespace tessera::client {

// Each call first takes the next entry of `failures`; an entry that is not OK
// is the answer. What was received is recorded. Set it up before calling.
class FakeService : public v1::GenerationService::Service {
 public:
  const std::string& address() const { return server_.address(); }

  std::deque<grpc::Status> failures;
  v1::Job job;  // what every job call answers
  // What the watches stream, one after another; the last again and again.
  std::vector<std::vector<v1::Job>> watched;
  std::vector<v1::Image> images;  // one page each
  std::vector<v1::Worker> workers;
  std::vector<v1::JobHeader> headers;  // of the submits, also failed ones
  std::vector<std::string> prompts;    // the bytes of each submit
  int calls = 0;

  grpc::Status CreateJob(grpc::ServerContext*,
                         grpc::ServerReader<v1::CreateJobRequest>* reader,
                         v1::Job* response) override {
    v1::CreateJobRequest request;
    std::string bytes;
    while (reader->Read(&request)) {
      if (request.has_header()) headers.push_back(request.header());
      bytes += request.prompts_chunk();
    }
    prompts.push_back(bytes);
    return Answer(response);
  }
  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest*,
                      v1::Job* response) override {
    return Answer(response);
  }
  grpc::Status CancelJob(grpc::ServerContext*, const v1::CancelJobRequest*,
                         v1::Job* response) override {
    return Answer(response);
  }
  grpc::Status ListJobs(grpc::ServerContext*, const v1::ListJobsRequest*,
                        v1::ListJobsResponse* response) override {
    return Answer(response->add_jobs());
  }
  grpc::Status WatchJob(grpc::ServerContext*, const v1::WatchJobRequest*,
                        grpc::ServerWriter<v1::Job>* writer) override {
    if (!watched.empty()) {
      const size_t last = watched.size() - 1;
      for (const v1::Job& one : watched[std::min(watches_++, last)]) {
        writer->Write(one);
      }
    }
    return Next();
  }
  grpc::Status ListImages(grpc::ServerContext*,
                          const v1::ListImagesRequest* request,
                          v1::ListImagesResponse* response) override {
    const size_t at =
        request->page_token().empty() ? 0 : std::stoul(request->page_token());
    if (at < images.size()) *response->add_images() = images[at];
    if (at + 1 < images.size()) {
      response->set_next_page_token(absl::StrCat(at + 1));
    }
    return Next();
  }
  grpc::Status ListWorkers(grpc::ServerContext*, const v1::ListWorkersRequest*,
                           v1::ListWorkersResponse* response) override {
    for (const v1::Worker& one : workers) *response->add_workers() = one;
    return Next();
  }

 private:
  grpc::Status Next() {
    ++calls;
    if (failures.empty()) return grpc::Status::OK;
    const grpc::Status next = failures.front();
    failures.pop_front();
    return next;
  }
  grpc::Status Answer(v1::Job* response) {
    *response = job;
    return Next();
  }

  size_t watches_ = 0;
  // Last, so that it stops before what its calls use is gone.
  testing::InProcessServer server_{*this};
};

// Makes a job in `state` with `done` of `total` pictures done.
inline v1::Job MakeJob(v1::JobState state, int64_t done, int64_t total) {
  v1::Job job;
  job.set_job_id("job-1");
  job.set_state(state);
  job.set_output_uri("/out");
  job.mutable_images()->set_total(total);
  job.mutable_images()->set_done(done);
  job.mutable_images()->set_waiting(total - done);
  return job;
}

}  // namespace tessera::client

#endif  // TESSERA_TESTS_UNIT_CLIENT_FAKE_SERVICE_H_
