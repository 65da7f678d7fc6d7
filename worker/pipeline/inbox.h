// What a peer sent and nobody has taken yet.
#ifndef TESSERA_WORKER_PIPELINE_INBOX_H_
#define TESSERA_WORKER_PIPELINE_INBOX_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "kernels/tensor.h"

namespace tessera::pipeline {

using Message = std::vector<std::byte>;

// A queue of messages in the order of their coming. Thread-safe.
class Inbox {
 public:
  explicit Inbox(Clock& clock) : clock_(clock) {}

  // Appends a message.
  void Push(Message message);

  // Says why no further message comes; those that are here can be taken.
  // The first reason stays.
  void Close(const absl::Status& reason);

  // Drops what is here and has every Take fail with `reason`.
  void Abort(const absl::Status& reason);

  // As Channel::Receive.
  absl::Status Take(const kernels::TensorView& tensor, absl::Time deadline);

 private:
  Clock& clock_;
  absl::Mutex mu_;
  std::deque<Message> messages_ ABSL_GUARDED_BY(mu_);
  absl::Status closed_ ABSL_GUARDED_BY(mu_);  // OK: open
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_INBOX_H_
