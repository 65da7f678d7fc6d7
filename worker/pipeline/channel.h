// Messages between the ranks of a pipeline.
#ifndef TESSERA_WORKER_PIPELINE_CHANNEL_H_
#define TESSERA_WORKER_PIPELINE_CHANNEL_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "kernels/tensor.h"

namespace tessera::pipeline {

// Sends tensors from one rank to another: what a pair of ranks sends arrives
// in that order, once, and whole. Both ends know what comes next, so a message
// carries nothing but its elements.
//
// Thread-safe, but for Receive, which one thread at a time calls for a peer.
class Channel {
 public:
  virtual ~Channel() = default;

  // This end's rank, 0 to size - 1, and how many ranks there are.
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Queues the bytes of `tensor` for `peer` and returns without waiting for
  // it: the tensor may change afterwards. Nothing bounds the queue but what
  // the schedule has in flight. Errors: UNAVAILABLE when the peer is gone, or
  // the reason of an Abort.
  virtual absl::Status Send(int peer, const kernels::TensorView& tensor) = 0;

  // Waits for the next message of `peer` and writes it to `tensor`. Errors:
  // DEADLINE_EXCEEDED after `deadline`, INVALID_ARGUMENT when the message has
  // another size, UNAVAILABLE when the peer is gone and all that it sent was
  // taken, or the reason of an Abort.
  virtual absl::Status Receive(int peer, const kernels::TensorView& tensor,
                               absl::Time deadline) = 0;

  // Ends all calls that wait, and every later one, with `reason`, which is not
  // OK; peers find this rank gone. The first reason stays.
  virtual void Abort(const absl::Status& reason) = 0;

  // Bytes of messages given to Send so far.
  virtual int64_t bytes_sent() const = 0;
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_CHANNEL_H_
