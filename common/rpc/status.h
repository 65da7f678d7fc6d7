// Conversion between absl::Status and grpc::Status.
#ifndef TESSERA_COMMON_RPC_STATUS_H_
#define TESSERA_COMMON_RPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace tessera::rpc {

// Returns the same code and message; the two enumerations share their numbers.
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace tessera::rpc

#endif  // TESSERA_COMMON_RPC_STATUS_H_
