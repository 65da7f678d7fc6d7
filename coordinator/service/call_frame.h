// What every remote call shares: its thread, its clock, its metrics.
#ifndef TESSERA_COORDINATOR_SERVICE_CALL_FRAME_H_
#define TESSERA_COORDINATOR_SERVICE_CALL_FRAME_H_

#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/rpc/status.h"
#include "coordinator/metrics.h"
#include "coordinator/service/call_pool.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace tessera::coordinator {

// Borrowed by the services; all must outlive them. Thread-safe.
struct CallFrame {
  CallPool& pool;
  Clock& clock;
  Metrics& metrics;

  // Returns the error of a call that finds too many waiting.
  static absl::Status Overloaded() {
    return absl::ResourceExhaustedError(
        "too many calls wait for the coordinator; try again later");
  }
};

// Measures one call, from construction to Answer.
class CallTimer {
 public:
  CallTimer(const CallFrame& frame, std::string_view method)
      : frame_(frame), method_(method), begin_(frame.clock.Now()) {}

  // Counts the call and returns its status in gRPC's form.
  grpc::Status Answer(const absl::Status& status) const {
    frame_.metrics.ObserveCall(method_, status.code(),
                               frame_.clock.Now() - begin_);
    return rpc::ToGrpcStatus(status);
  }

 private:
  const CallFrame& frame_;
  const std::string_view method_;  // of static lifetime
  const absl::Time begin_;
};

// Serves a unary call: runs `handler`, which returns StatusOr<Response>, on
// the pool and answers with what it returns.
template <typename Response, typename Handler>
grpc::ServerUnaryReactor* ServeUnary(const CallFrame& frame,
                                     std::string_view method,
                                     grpc::CallbackServerContext* context,
                                     Response* response, Handler handler) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const CallTimer timer(frame, method);
  const bool taken = frame.pool.TryRun([=, handler = std::move(handler)] {
    absl::StatusOr<Response> answer = handler();
    if (answer.ok()) *response = *std::move(answer);
    reactor->Finish(timer.Answer(answer.status()));
  });
  if (!taken) reactor->Finish(timer.Answer(CallFrame::Overloaded()));
  return reactor;
}

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_CALL_FRAME_H_
