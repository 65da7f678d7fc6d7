#include "worker/coordinator_link_grpc.h"

#include <memory>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/builders.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::StatusIs;

// Answers from within the process; holds idle calls until they are ended.
class FakeService final : public internal::v1::WorkerService::Service {
 public:
  grpc::Status Synchronize(
      grpc::ServerContext* context,
      const internal::v1::SynchronizeRequest* request,
      internal::v1::SynchronizeResponse* response) override {
    if (request->has_idle() && !request->draining()) {
      held.Notify();
      ended.WaitForNotification();
    }
    response->mutable_stop()->set_reason(request->worker_id());
    return grpc::Status::OK;
  }

  grpc::Status CommitResults(
      grpc::ServerContext*, const internal::v1::CommitResultsRequest* request,
      internal::v1::CommitResultsResponse* response) override {
    if (request->lease().epoch() == 0) {
      return {grpc::StatusCode::ABORTED, "stale epoch"};
    }
    response->add_conflicting_tasks(0);
    return grpc::Status::OK;
  }

  absl::Notification held;
  absl::Notification ended;
};

class GrpcCoordinatorLinkTest : public ::testing::Test {
 protected:
  GrpcCoordinatorLinkTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    WorkerFacts facts;
    facts.worker_id = "worker-1";
    link_ = std::make_unique<GrpcCoordinatorLink>(
        internal::v1::WorkerService::NewStub(server_->InProcessChannel({})),
        facts);
  }

  FakeService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GrpcCoordinatorLink> link_;
};

TEST_F(GrpcCoordinatorLinkTest, CarriesTheAnswer) {
  SynchronizeCall call;
  call.lease = Lease{"job", 0, 1};

  const auto answer = link_->Synchronize(call);

  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(std::get<StopLease>(answer->desired).reason, "worker-1");
}

TEST_F(GrpcCoordinatorLinkTest, CarriesTheStatusOfACommit) {
  CommitCall call;
  call.lease = {"job", 0, 0};
  EXPECT_THAT(link_->CommitResults(call), StatusIs(absl::StatusCode::kAborted));

  call.lease.epoch = 1;
  EXPECT_TRUE(link_->CommitResults(call).ok());
}

TEST_F(GrpcCoordinatorLinkTest, EndsAHeldCallAndRefusesTheNext) {
  absl::StatusOr<SynchronizeAnswer> answer = absl::UnknownError("not yet");
  std::thread caller([&] { answer = link_->Synchronize(SynchronizeCall{}); });
  service_.held.WaitForNotification();

  link_->EndIdleCalls();
  caller.join();
  service_.ended.Notify();

  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(link_->Synchronize(SynchronizeCall{}),
              StatusIs(absl::StatusCode::kCancelled));
  SynchronizeCall goodbye;
  goodbye.draining = true;
  EXPECT_TRUE(link_->Synchronize(goodbye).ok());
}

}  // namespace
}  // namespace tessera::worker
