#include "common/rpc/status.h"

#include <string>

namespace tessera::rpc {

// OK has no message in either library.
grpc::Status ToGrpcStatus(const absl::Status& status) {
  // Codes have the same numbers in both by design.
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  // A code that a newer peer made up passes through as a number.
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

}  // namespace tessera::rpc
