// Heads of micro-batches as messages.
#ifndef TESSERA_WORKER_PIPELINE_HEAD_TRANSFER_H_
#define TESSERA_WORKER_PIPELINE_HEAD_TRANSFER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/pipeline/channel.h"
#include "worker/pipeline/micro_batch_head.h"

namespace tessera::pipeline {

// Sends a head as two messages: its size, then its bytes. Errors: as of
// Channel::Send.
absl::Status SendHead(Channel& channel, int peer, const MicroBatchHead& head);

// Receives one. Errors: as of Channel::Receive; INVALID_ARGUMENT for bytes
// that are no head.
absl::StatusOr<MicroBatchHead> ReceiveHead(Channel& channel, int peer,
                                           absl::Time deadline);

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_HEAD_TRANSFER_H_
