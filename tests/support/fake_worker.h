// A worker that speaks the protocol and paints nothing: its pictures are small
// files whose bytes depend on the task alone.
#ifndef TESSERA_TESTS_SUPPORT_FAKE_WORKER_H_
#define TESSERA_TESTS_SUPPORT_FAKE_WORKER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "tessera/internal/v1/worker_service.grpc.pb.h"

namespace tessera {

// Returns the bytes of the picture that FakeWorker makes of `task`.
std::string FakePicture(const internal::v1::ImageTask& task);

// Calls are blocking and one at a time. Thread-compatible.
class FakeWorker {
 public:
  FakeWorker(std::shared_ptr<grpc::Channel> channel, std::string worker_id,
             std::vector<std::string> models);

  // Synchronizes as idle; the call may be held by the coordinator.
  absl::StatusOr<internal::v1::SynchronizeResponse> Idle();

  // Synchronizes as executing `lease`.
  absl::StatusOr<internal::v1::SynchronizeResponse> Execute(
      const internal::v1::Lease& lease);

  // Sends exactly `request`, for duplicates and reordering.
  absl::StatusOr<internal::v1::SynchronizeResponse> Send(
      const internal::v1::SynchronizeRequest& request);

  // Returns the request that Idle would send, with the next sequence number.
  internal::v1::SynchronizeRequest IdleRequest();

  // Synchronizes as idle until an assignment comes. Errors: the call's, or
  // DEADLINE_EXCEEDED when none came in `tries` calls.
  absl::StatusOr<internal::v1::Assignment> Take(int tries);

  // Writes the picture of one task below the job's output folder and returns
  // its result.
  internal::v1::TaskResult Make(const internal::v1::Assignment& assignment,
                                int task) const;

  absl::Status Commit(const internal::v1::Lease& lease,
                      std::vector<internal::v1::TaskResult> results,
                      bool release);

  // Makes and commits every task that no earlier attempt finished.
  absl::Status Finish(const internal::v1::Assignment& assignment);

  // Takes and finishes `shards` shards.
  absl::Status Work(int shards);

 private:
  const std::unique_ptr<internal::v1::WorkerService::Stub> stub_;
  const std::string worker_id_;
  const std::vector<std::string> models_;
  uint64_t sequence_ = 0;
};

}  // namespace tessera

#endif  // TESSERA_TESTS_SUPPORT_FAKE_WORKER_H_
