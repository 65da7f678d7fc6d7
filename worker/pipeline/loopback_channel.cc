#include "worker/pipeline/loopback_channel.h"

#include <atomic>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/check.h"
#include "worker/pipeline/inbox.h"

namespace tessera::pipeline {
namespace {

// The inboxes of all pairs, and which ranks are gone.
class Hub {
 public:
  Hub(int size, Clock& clock) : size_(size), gone_(size) {
    for (int i = 0; i < size * size; ++i) {
      inboxes_.push_back(std::make_unique<Inbox>(clock));
    }
  }

  int size() const { return size_; }

  // Returns what `from` sent to `to`.
  Inbox& inbox(int from, int to) { return *inboxes_[from * size_ + to]; }

  bool gone(int rank) const { return gone_[rank]; }

  // Lets every other rank know that `rank` will send nothing more.
  void Leave(int rank) {
    gone_[rank] = true;
    for (int to = 0; to < size_; ++to) {
      inbox(rank, to).Close(absl::UnavailableError(
          absl::StrCat("the peer is gone: rank ", rank)));
    }
  }

 private:
  const int size_;
  std::vector<std::unique_ptr<Inbox>> inboxes_;
  std::vector<std::atomic<bool>> gone_;
};

// One rank's end; all share the hub.
class LoopbackChannel final : public Channel {
 public:
  LoopbackChannel(std::shared_ptr<Hub> hub, int rank)
      : hub_(std::move(hub)), rank_(rank) {}

  ~LoopbackChannel() override { hub_->Leave(rank_); }

  int rank() const override { return rank_; }
  int size() const override { return hub_->size(); }

  absl::Status Send(int peer, const kernels::TensorView& tensor) override {
    CHECK(tensor.place == kernels::Place::kHost);
    {
      absl::MutexLock lock(&mu_);
      if (!aborted_.ok()) return aborted_;
    }
    if (hub_->gone(peer)) {
      return absl::UnavailableError(
          absl::StrCat("the peer is gone: rank ", peer));
    }
    Message message(static_cast<size_t>(tensor.bytes()));
    if (!message.empty()) {
      std::memcpy(message.data(), tensor.data, message.size());
    }
    bytes_sent_ += tensor.bytes();
    hub_->inbox(rank_, peer).Push(std::move(message));
    return absl::OkStatus();
  }

  absl::Status Receive(int peer, const kernels::TensorView& tensor,
                       absl::Time deadline) override {
    return hub_->inbox(peer, rank_).Take(tensor, deadline);
  }

  void Abort(const absl::Status& reason) override {
    CHECK(!reason.ok());
    {
      absl::MutexLock lock(&mu_);
      if (!aborted_.ok()) return;
      aborted_ = reason;
    }
    for (int from = 0; from < size(); ++from) {
      hub_->inbox(from, rank_).Abort(reason);
    }
    hub_->Leave(rank_);
  }

  int64_t bytes_sent() const override { return bytes_sent_; }

 private:
  const std::shared_ptr<Hub> hub_;
  const int rank_;
  std::atomic<int64_t> bytes_sent_{0};
  absl::Mutex mu_;
  absl::Status aborted_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

std::vector<std::unique_ptr<Channel>> MakeLoopbackChannels(int size,
                                                           Clock& clock) {
  const auto hub = std::make_shared<Hub>(size, clock);
  std::vector<std::unique_ptr<Channel>> channels;
  for (int rank = 0; rank < size; ++rank) {
    channels.push_back(std::make_unique<LoopbackChannel>(hub, rank));
  }
  return channels;
}

}  // namespace tessera::pipeline
