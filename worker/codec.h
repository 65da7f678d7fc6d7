// The only place where the protocol's messages meet the worker's own types.
#ifndef TESSERA_WORKER_CODEC_H_
#define TESSERA_WORKER_CODEC_H_

#include <string>

#include "absl/status/statusor.h"
#include "tessera/internal/v1/shard.pb.h"
#include "tessera/internal/v1/worker_service.pb.h"
#include "worker/assignment.h"
#include "worker/session_messages.h"

namespace tessera::worker {

// Write calls as messages; every call can be written.
internal::v1::SynchronizeRequest Encode(const WorkerFacts& facts,
                                        const SynchronizeCall& call);
internal::v1::CommitResultsRequest Encode(const std::string& worker_id,
                                          const CommitCall& call);

// Checks what the worker relies on: an answer that desires nothing known, or
// an assignment with a finished task that it does not have, is INTERNAL. A
// negative or absurd time of the next call is replaced by 0 or one minute.
absl::StatusOr<SynchronizeAnswer> Decode(
    const internal::v1::SynchronizeResponse& response);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_CODEC_H_
