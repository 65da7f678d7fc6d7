// The worker protocol's messages to and from domain types.
#ifndef TESSERA_COORDINATOR_SERVICE_WORKER_CODEC_H_
#define TESSERA_COORDINATOR_SERVICE_WORKER_CODEC_H_

#include "absl/status/statusor.h"
#include "coordinator/worker_protocol.h"
#include "tessera/internal/v1/worker_service.pb.h"

namespace tessera::coordinator {

// Errors: INVALID_ARGUMENT for a worker id that is empty or longer than 128
// bytes, for a request that says neither idle nor executing, for a lease
// without job or with negative numbers.
absl::StatusOr<SynchronizeRequest> DecodeSynchronize(
    const internal::v1::SynchronizeRequest& proto);

// Errors: DATA_LOSS when an assignment's stored shard is damaged.
absl::StatusOr<internal::v1::SynchronizeResponse> EncodeSynchronize(
    const SynchronizeReply& reply);

// Errors: INVALID_ARGUMENT as above, for more than 4096 results, and for one
// without outcome.
absl::StatusOr<CommitRequest> DecodeCommit(
    const internal::v1::CommitResultsRequest& proto);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_WORKER_CODEC_H_
