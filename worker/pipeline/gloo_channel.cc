#include "worker/pipeline/gloo_channel.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/check.h"
#include "gloo/transport/context.h"
#include "gloo/transport/pair.h"
#include "gloo/transport/tcp/device.h"
#include "gloo/transport/unbound_buffer.h"
#include "worker/pipeline/inbox.h"

namespace tessera::pipeline {
namespace {

using gloo::transport::UnboundBuffer;

// Gloo matches what is sent and received by a number; all of ours are in one
// order.
constexpr uint64_t kSlot = 0;
// Gloo has no wait without an end; nobody waits longer than this.
constexpr std::chrono::milliseconds kForever = std::chrono::hours(24 * 365);
// Refuses sizes that only a fault can announce.
constexpr uint64_t kLargestMessage = uint64_t{1} << 32;

// Says that a peer can no longer be reached.
absl::Status Gone(int peer, const std::string& why) {
  return absl::UnavailableError(
      absl::StrCat("the peer is gone: rank ", peer, ": ", why));
}

// The transfer that a thread waits for, to be ended by another thread.
class Transfer {
 public:
  // Makes `buffer` the one that Abort ends. Returns false once aborted.
  bool Begin(UnboundBuffer& buffer) {
    absl::MutexLock lock(&mu_);
    if (!aborted_) buffer_ = &buffer;
    return !aborted_;
  }

  void End() {
    absl::MutexLock lock(&mu_);
    buffer_ = nullptr;
  }

  void Abort() {
    absl::MutexLock lock(&mu_);
    aborted_ = true;
    if (buffer_ == nullptr) return;
    buffer_->abortWaitRecv();
    buffer_->abortWaitSend();
  }

 private:
  absl::Mutex mu_;
  UnboundBuffer* buffer_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool aborted_ ABSL_GUARDED_BY(mu_) = false;
};

// The connection with one peer: a thread that reads ahead into the inbox, and
// one that sends what is queued. A message is its size and then its bytes.
class Peer {
 public:
  Peer(int rank, gloo::transport::Context& context, Clock& clock)
      : rank_(rank), context_(context), inbox_(clock) {
    reader_ = std::thread([this] { Read(); });
    writer_ = std::thread([this] { Write(); });
  }

  ~Peer() {
    Abort(absl::CancelledError("the channel is closed"));
    reader_.join();
    writer_.join();
  }

  absl::Status Send(Message message) {
    absl::MutexLock lock(&mu_);
    if (!ended_.ok()) return ended_;
    outbox_.push_back(std::move(message));
    return absl::OkStatus();
  }

  Inbox& inbox() { return inbox_; }

  void Abort(const absl::Status& reason) {
    inbox_.Abort(reason);
    End(reason);
    reading_.Abort();
    writing_.Abort();
  }

 private:
  // Notes why no more can be sent; the first reason stays.
  void End(const absl::Status& reason) {
    absl::MutexLock lock(&mu_);
    if (ended_.ok()) ended_ = reason;
  }

  // Ends both directions: a connection that fails in one is of no use.
  void Lose(const std::string& why) {
    inbox_.Close(Gone(rank_, why));
    End(Gone(rank_, why));
    writing_.Abort();
  }

  // Receives or sends a block of memory. Returns whether it was done; throws
  // what Gloo throws.
  bool Receive(void* data, size_t size) {
    const auto buffer = context_.createUnboundBuffer(data, size);
    if (!reading_.Begin(*buffer)) return false;
    buffer->recv(rank_, kSlot);
    const bool done = buffer->waitRecv(kForever);
    reading_.End();
    return done;
  }
  bool SendBlock(void* data, size_t size) {
    const auto buffer = context_.createUnboundBuffer(data, size);
    if (!writing_.Begin(*buffer)) return false;
    buffer->send(rank_, kSlot);
    const bool done = buffer->waitSend(kForever);
    writing_.End();
    return done;
  }

  // Receives a message into the inbox; returns whether there may be another.
  bool ReadOne() {
    uint64_t size = 0;
    if (!Receive(&size, sizeof(size))) return false;
    if (size > kLargestMessage) {
      Lose(absl::StrCat("announced a message of ", size, " bytes"));
      return false;
    }
    Message message(size);
    // Gloo's transfers are not empty.
    if (size > 0 && !Receive(message.data(), size)) return false;
    inbox_.Push(std::move(message));
    return true;
  }

  // Is the thread that reads.
  void Read() {
    try {
      while (ReadOne()) {
      }
    } catch (const std::exception& error) {
      reading_.End();
      Lose(error.what());
    }
  }

  // Waits for the next message to send; nothing when there will be none.
  std::optional<Message> Next() {
    absl::MutexLock lock(&mu_);
    const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return !outbox_.empty() || !ended_.ok();
    };
    mu_.Await(absl::Condition(&something));
    if (!ended_.ok()) return std::nullopt;
    Message message = std::move(outbox_.front());
    outbox_.pop_front();
    return message;
  }

  // Is the thread that sends.
  void Write() {
    try {
      while (std::optional<Message> message = Next()) {
        uint64_t size = message->size();
        if (!SendBlock(&size, sizeof(size))) return;
        if (size > 0 && !SendBlock(message->data(), size)) return;
      }
    } catch (const std::exception& error) {
      writing_.End();
      Lose(error.what());
    }
  }

  const int rank_;
  gloo::transport::Context& context_;
  Inbox inbox_;
  Transfer reading_;
  Transfer writing_;
  absl::Mutex mu_;
  std::deque<Message> outbox_ ABSL_GUARDED_BY(mu_);
  absl::Status ended_ ABSL_GUARDED_BY(mu_);  // OK: messages can be sent
  std::thread reader_;
  std::thread writer_;
};

// What a channel is made of; destroyed from the end.
struct Connection {
  std::shared_ptr<gloo::transport::Device> device;
  std::shared_ptr<gloo::transport::Context> context;
};

// The channel over connected pairs.
class GlooChannel final : public Channel {
 public:
  GlooChannel(Connection connection, int rank, int size, Clock& clock)
      : connection_(std::move(connection)), rank_(rank), size_(size) {
    for (int peer = 0; peer < size; ++peer) {
      peers_.push_back(peer == rank ? nullptr
                                    : std::make_unique<Peer>(
                                          peer, *connection_.context, clock));
    }
  }

  ~GlooChannel() override {
    Abort(absl::CancelledError("the channel is closed"));
    peers_.clear();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  absl::Status Send(int peer, const kernels::TensorView& tensor) override {
    CHECK(tensor.place == kernels::Place::kHost && peer != rank_);
    Message message(static_cast<size_t>(tensor.bytes()));
    if (!message.empty()) {
      std::memcpy(message.data(), tensor.data, message.size());
    }
    bytes_sent_ += tensor.bytes();
    return peers_[static_cast<size_t>(peer)]->Send(std::move(message));
  }

  absl::Status Receive(int peer, const kernels::TensorView& tensor,
                       absl::Time deadline) override {
    CHECK(peer != rank_);
    return peers_[static_cast<size_t>(peer)]->inbox().Take(tensor, deadline);
  }

  // Ends the waits of all threads, then closes the connections, which tells
  // the peers.
  void Abort(const absl::Status& reason) override {
    CHECK(!reason.ok());
    for (const auto& peer : peers_) {
      if (peer != nullptr) peer->Abort(reason);
    }
    absl::MutexLock lock(&close_mu_);
    if (std::exchange(closed_, true)) return;
    for (int peer = 0; peer < size_; ++peer) {
      if (peer != rank_) connection_.context->getPair(peer)->close();
    }
  }

  int64_t bytes_sent() const override { return bytes_sent_; }

 private:
  Connection connection_;
  const int rank_;
  const int size_;
  std::atomic<int64_t> bytes_sent_{0};
  std::vector<std::unique_ptr<Peer>> peers_;  // by rank; null: this one
  absl::Mutex close_mu_;
  bool closed_ ABSL_GUARDED_BY(close_mu_) = false;
};

}  // namespace

// Holds a pair a peer; each listens at a place of its own.
class GlooEndpoint::Impl {
 public:
  Impl(int rank, int size, const std::string& host, absl::Duration timeout,
       Clock& clock)
      : rank_(rank), size_(size), timeout_(timeout), clock_(clock) {
    const gloo::transport::tcp::attr attributes(host.c_str());
    connection_.device = gloo::transport::tcp::CreateDevice(attributes);
  }

  // Makes the pairs, each with the timeout of connecting.
  void Listen() {
    connection_.context = connection_.device->createContext(rank_, size_);
    connection_.context->setTimeout(absl::ToChronoMilliseconds(timeout_));
    for (int peer = 0; peer < size_; ++peer) {
      std::vector<char> bytes;
      if (peer != rank_) {
        bytes = connection_.context->createPair(peer)->address().bytes();
        part_ = bytes.size();
      }
      parts_.push_back(std::move(bytes));
    }
    // Writes one part a rank, all of one size.
    for (std::vector<char>& part : parts_) {
      part.resize(part_);
      address_.append(part.data(), part.size());
    }
  }

  absl::StatusOr<std::unique_ptr<Channel>> Connect(
      const std::vector<std::string>& addresses) {
    CHECK(static_cast<int>(addresses.size()) == size_);
    for (int peer = 0; peer < size_; ++peer) {
      if (peer == rank_) continue;
      const std::string& address = addresses[static_cast<size_t>(peer)];
      if (address.size() != address_.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("not the address of a Gloo endpoint: rank ", peer));
      }
      const char* const part = address.data() + part_ * rank_;
      connection_.context->getPair(peer)->connect({part, part + part_});
    }
    return std::make_unique<GlooChannel>(std::move(connection_), rank_, size_,
                                         clock_);
  }

  const std::string& address() const { return address_; }

 private:
  const int rank_;
  const int size_;
  const absl::Duration timeout_;
  Clock& clock_;
  Connection connection_;
  std::vector<std::vector<char>> parts_;  // by rank
  size_t part_ = 0;                       // bytes of each
  std::string address_;
};

absl::StatusOr<std::unique_ptr<GlooEndpoint>> GlooEndpoint::Open(
    int rank, int size, const std::string& host, absl::Duration timeout,
    Clock& clock) {
  CHECK(0 <= rank && rank < size && size > 1);
  try {
    auto impl = std::make_unique<Impl>(rank, size, host, timeout, clock);
    impl->Listen();
    return std::unique_ptr<GlooEndpoint>(new GlooEndpoint(std::move(impl)));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen at ", host, ": ", error.what()));
  }
}

GlooEndpoint::GlooEndpoint(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

GlooEndpoint::~GlooEndpoint() = default;

const std::string& GlooEndpoint::address() const { return impl_->address(); }

absl::StatusOr<std::unique_ptr<Channel>> GlooEndpoint::Connect(
    const std::vector<std::string>& addresses) {
  try {
    return impl_->Connect(addresses);
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat("cannot connect with the pipeline: ", error.what()));
  }
}

}  // namespace tessera::pipeline
