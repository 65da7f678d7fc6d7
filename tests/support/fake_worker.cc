#include "tests/support/fake_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/rpc/status.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"
#include "tests/support/temporary_folder.h"

namespace tessera {

std::string FakePicture(const internal::v1::ImageTask& task) {
  return absl::StrCat(task.prompt(), "|", task.seed(), "|", task.width(), "x",
                      task.height());
}

FakeWorker::FakeWorker(std::shared_ptr<grpc::Channel> channel,
                       std::string worker_id, std::vector<std::string> models)
    : stub_(internal::v1::WorkerService::NewStub(std::move(channel))),
      worker_id_(std::move(worker_id)),
      models_(std::move(models)) {}

internal::v1::SynchronizeRequest FakeWorker::IdleRequest() {
  internal::v1::SynchronizeRequest request;
  request.set_worker_id(worker_id_);
  request.set_sequence(++sequence_);
  request.mutable_info()->set_host("test");
  request.mutable_info()->set_device("cpu");
  for (const std::string& model : models_) {
    request.mutable_info()->add_models(model);
  }
  request.mutable_idle();
  return request;
}

absl::StatusOr<internal::v1::SynchronizeResponse> FakeWorker::Send(
    const internal::v1::SynchronizeRequest& request) {
  grpc::ClientContext context;
  internal::v1::SynchronizeResponse response;
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->Synchronize(&context, request, &response)));
  return response;
}

absl::StatusOr<internal::v1::SynchronizeResponse> FakeWorker::Idle() {
  return Send(IdleRequest());
}

absl::StatusOr<internal::v1::SynchronizeResponse> FakeWorker::Execute(
    const internal::v1::Lease& lease) {
  internal::v1::SynchronizeRequest request = IdleRequest();
  *request.mutable_executing()->mutable_lease() = lease;
  return Send(request);
}

absl::StatusOr<internal::v1::Assignment> FakeWorker::Take(int tries) {
  for (int i = 0; i < tries; ++i) {
    ASSIGN_OR_RETURN(internal::v1::SynchronizeResponse response, Idle());
    if (response.has_execute()) return response.execute();
  }
  return absl::DeadlineExceededError("no assignment came");
}

internal::v1::TaskResult FakeWorker::Make(
    const internal::v1::Assignment& assignment, int task) const {
  const internal::v1::ImageTask& todo = assignment.shard().tasks(task);
  const std::string path =
      absl::StrFormat("images/%06d/%s-%d.png", assignment.lease().shard_index(),
                      todo.custom_id(), todo.index());
  const std::string bytes = FakePicture(todo);
  testing::WriteText(assignment.output_uri() + "/" + path, bytes);

  internal::v1::TaskResult result;
  result.set_task(task);
  v1::Image& image = *result.mutable_image();
  image.set_custom_id(todo.custom_id());
  image.set_index(todo.index());
  image.set_seed(todo.seed());
  image.set_path(path);
  image.set_sha256(Sha256Hex(bytes));
  image.set_width(todo.width() == 0 ? 64 : todo.width());
  image.set_height(todo.height() == 0 ? 64 : todo.height());
  image.set_worker(worker_id_);
  image.set_seconds(0.25);
  return result;
}

absl::Status FakeWorker::Commit(const internal::v1::Lease& lease,
                                std::vector<internal::v1::TaskResult> results,
                                bool release) {
  internal::v1::CommitResultsRequest request;
  request.set_worker_id(worker_id_);
  *request.mutable_lease() = lease;
  for (internal::v1::TaskResult& result : results) {
    *request.add_results() = std::move(result);
  }
  request.set_release(release);
  grpc::ClientContext context;
  internal::v1::CommitResultsResponse response;
  return rpc::FromGrpcStatus(
      stub_->CommitResults(&context, request, &response));
}

absl::Status FakeWorker::Finish(const internal::v1::Assignment& assignment) {
  const auto& done = assignment.finished_tasks();
  std::vector<internal::v1::TaskResult> results;
  for (int task = 0; task < assignment.shard().tasks_size(); ++task) {
    if (std::find(done.begin(), done.end(), task) != done.end()) continue;
    results.push_back(Make(assignment, task));
  }
  return Commit(assignment.lease(), std::move(results), /*release=*/false);
}

absl::Status FakeWorker::Work(int shards) {
  for (int i = 0; i < shards; ++i) {
    ASSIGN_OR_RETURN(const internal::v1::Assignment assignment, Take(10));
    RETURN_IF_ERROR(Finish(assignment));
  }
  return absl::OkStatus();
}

}  // namespace tessera
