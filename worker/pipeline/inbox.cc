#include "worker/pipeline/inbox.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tessera::pipeline {

void Inbox::Push(Message message) {
  absl::MutexLock lock(&mu_);
  if (closed_.ok()) messages_.push_back(std::move(message));
}

void Inbox::Close(const absl::Status& reason) {
  absl::MutexLock lock(&mu_);
  if (closed_.ok()) closed_ = reason;
}

void Inbox::Abort(const absl::Status& reason) {
  absl::MutexLock lock(&mu_);
  messages_.clear();
  if (closed_.ok()) closed_ = reason;
}

absl::Status Inbox::Take(const kernels::TensorView& tensor,
                         absl::Time deadline) {
  Message message;
  {
    absl::MutexLock lock(&mu_);
    const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return !messages_.empty() || !closed_.ok();
    };
    clock_.AwaitWithTimeout(mu_, absl::Condition(&something),
                            deadline - clock_.Now());
    if (messages_.empty()) {
      if (!closed_.ok()) return closed_;
      return absl::DeadlineExceededError("no message came in time");
    }
    message = std::move(messages_.front());
    messages_.pop_front();
  }
  const auto expected = static_cast<size_t>(tensor.bytes());
  if (message.size() != expected) {
    return absl::InvalidArgumentError(absl::StrCat(
        "message has another size than announced: ", message.size(),
        " bytes, expected ", expected));
  }
  CHECK(tensor.place == kernels::Place::kHost);
  // Copies outside of the lock, which the sender wants.
  if (expected > 0) std::memcpy(tensor.data, message.data(), expected);
  return absl::OkStatus();
}

}  // namespace tessera::pipeline
