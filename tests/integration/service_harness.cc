#include "tests/integration/service_harness.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/folder_blob_store.h"
#include "common/rpc/channel.h"
#include "common/rpc/status.h"
#include "common/status_macros.h"
#include "coordinator/store/sqlite_job_store.h"
#include "grpcpp/client_context.h"

namespace tessera::coordinator {
namespace {

// Takes a text file that starts with "lora " for a LoRA.
absl::StatusOr<LoraFacts> InspectText(const std::string& path) {
  const std::string text = testing::ReadText(path);
  if (text.starts_with("lora ")) return LoraFacts{"text", 3};
  return absl::InvalidArgumentError(path + ": no LoRA: no key is known");
}

}  // namespace

ServiceHarness::ServiceHarness() { Start(); }

void ServiceHarness::Start() {
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.metrics_listen = "127.0.0.1:0";
  options.coordinator.lease_duration = absl::Seconds(2);
  auto store = SqliteJobStore::Open(StoreFile());
  CHECK(store.ok());
  auto blobs = FolderBlobStore::Open(folder_ / "blobs", RealClock());
  CHECK(blobs.ok());
  auto server =
      Server::Start(options, RealClock(), *std::move(store),
                    {.blobs = *std::move(blobs), .inspector = InspectText});
  CHECK(server.ok());
  server_ = *std::move(server);
  stub_ = v1::GenerationService::NewStub(Channel());
}

void ServiceHarness::Restart() {
  Stop();
  Start();
}

std::shared_ptr<grpc::Channel> ServiceHarness::Channel() const {
  return rpc::MakeChannel(absl::StrCat("127.0.0.1:", server_->port()));
}

FakeWorker ServiceHarness::Worker(const std::string& id) {
  return FakeWorker(Channel(), id, {"emoji"});
}

v1::JobHeader ServiceHarness::Header(const std::string& name) const {
  v1::JobHeader header;
  header.set_model("emoji");
  header.set_output_uri(Output(name));
  return header;
}

absl::StatusOr<v1::Job> ServiceHarness::Submit(const v1::JobHeader& header,
                                               const std::string& prompts,
                                               size_t piece) {
  grpc::ClientContext context;
  v1::Job job;
  auto writer = stub_->CreateJob(&context, &job);
  v1::CreateJobRequest request;
  *request.mutable_header() = header;
  bool open = writer->Write(request);
  for (size_t i = 0; open && i < prompts.size(); i += piece) {
    request.set_prompts_chunk(prompts.substr(i, piece));
    open = writer->Write(request);
  }
  if (open) writer->WritesDone();
  RETURN_IF_ERROR(rpc::FromGrpcStatus(writer->Finish()));
  return job;
}

absl::StatusOr<v1::Job> ServiceHarness::Get(const std::string& job_id) {
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  v1::Job job;
  RETURN_IF_ERROR(rpc::FromGrpcStatus(stub_->GetJob(&context, request, &job)));
  return job;
}

absl::StatusOr<v1::Job> ServiceHarness::Cancel(const std::string& job_id) {
  grpc::ClientContext context;
  v1::CancelJobRequest request;
  request.set_job_id(job_id);
  v1::Job job;
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->CancelJob(&context, request, &job)));
  return job;
}

absl::StatusOr<v1::ListJobsResponse> ServiceHarness::List(
    int page_size, const std::string& token) {
  grpc::ClientContext context;
  v1::ListJobsRequest request;
  request.set_page_size(page_size);
  request.set_page_token(token);
  v1::ListJobsResponse response;
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->ListJobs(&context, request, &response)));
  return response;
}

absl::StatusOr<v1::ListImagesResponse> ServiceHarness::Images(
    const std::string& job_id, int page_size, const std::string& token) {
  grpc::ClientContext context;
  v1::ListImagesRequest request;
  request.set_job_id(job_id);
  request.set_page_size(page_size);
  request.set_page_token(token);
  v1::ListImagesResponse response;
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->ListImages(&context, request, &response)));
  return response;
}

absl::StatusOr<std::vector<v1::Job>> ServiceHarness::Watch(
    const std::string& job_id) {
  return Watch(job_id, [](const v1::Job&) {});
}

absl::StatusOr<std::vector<v1::Job>> ServiceHarness::Watch(
    const std::string& job_id,
    const std::function<void(const v1::Job&)>& on_state) {
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_job_id(job_id);
  auto reader = stub_->WatchJob(&context, request);
  std::vector<v1::Job> states;
  v1::Job job;
  while (reader->Read(&job)) {
    states.push_back(job);
    on_state(job);
  }
  RETURN_IF_ERROR(rpc::FromGrpcStatus(reader->Finish()));
  return states;
}

std::vector<nlohmann::json> ServiceHarness::Lines(
    const std::string& name, const std::string& file) const {
  std::istringstream text(testing::ReadText(Output(name) + "/" + file));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(nlohmann::json::parse(line));
  }
  return lines;
}

std::string Prompts(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, "{\"prompt\":\"p", i, "\"}\n");
  }
  return text;
}

}  // namespace tessera::coordinator
