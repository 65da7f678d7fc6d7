// What every channel between ranks promises.
#include "worker/pipeline/channel.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "worker/pipeline/gloo_channel.h"
#include "worker/pipeline/loopback_channel.h"

namespace tessera::pipeline {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;

using Channels = std::vector<std::unique_ptr<Channel>>;

// Connects the ranks of a group; each may then be used by its own thread.
struct ChannelCase {
  std::string name;
  std::function<Channels(int size)> connect;
};

// Connects Gloo's ends, each on a thread, as processes would.
Channels ConnectGloo(int size) {
  std::vector<std::unique_ptr<GlooEndpoint>> endpoints;
  std::vector<std::string> addresses;
  for (int rank = 0; rank < size; ++rank) {
    endpoints.push_back(GlooEndpoint::Open(rank, size, "127.0.0.1",
                                           absl::Seconds(30), RealClock())
                            .value());
    addresses.push_back(endpoints.back()->address());
  }
  Channels channels(static_cast<size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      const auto index = static_cast<size_t>(rank);
      channels[index] = endpoints[index]->Connect(addresses).value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return channels;
}

// A tensor of bytes, all of one value.
kernels::Tensor Bytes(int64_t size, int value) {
  kernels::Tensor tensor(kernels::Shape{size}, kernels::DType::kU8);
  std::fill_n(tensor.view().u8(), size, static_cast<uint8_t>(value));
  return tensor;
}

// Whether all bytes are of one value.
bool AllAre(const kernels::Tensor& tensor, int value) {
  const uint8_t* const begin = tensor.view().u8();
  return std::all_of(begin, begin + tensor.bytes(),
                     [&](uint8_t byte) { return byte == value; });
}

// Far beyond what anything here takes.
absl::Time Late() { return RealClock().Now() + absl::Minutes(2); }

class ChannelTest : public ::testing::TestWithParam<ChannelCase> {
 protected:
  Channels Connect(int size) { return GetParam().connect(size); }
};

TEST_P(ChannelTest, MessagesComeInOrder) {
  const Channels ranks = Connect(2);

  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(ranks[0]->Send(1, Bytes(i + 1, i).view()), IsOk());
  }

  for (int i = 0; i < 100; ++i) {
    const kernels::Tensor got = Bytes(i + 1, 255);
    ASSERT_THAT(ranks[1]->Receive(0, got.view(), Late()), IsOk());
    EXPECT_TRUE(AllAre(got, i)) << i;
  }
  EXPECT_EQ(ranks[0]->bytes_sent(), 100 * 101 / 2);
}

TEST_P(ChannelTest, MessagesHaveAnySize) {
  const Channels ranks = Connect(2);

  for (const int64_t size : {int64_t{0}, int64_t{1}, int64_t{4097},
                             int64_t{1} << 20, int64_t{64} << 20}) {
    ASSERT_THAT(ranks[1]->Send(0, Bytes(size, 7).view()), IsOk());
    const kernels::Tensor got = Bytes(size, 0);
    ASSERT_THAT(ranks[0]->Receive(1, got.view(), Late()), IsOk()) << size;
    EXPECT_TRUE(AllAre(got, 7)) << size;
  }
}

TEST_P(ChannelTest, SentTensorMayChange) {
  const Channels ranks = Connect(2);
  const kernels::Tensor sent = Bytes(1 << 20, 1);

  ASSERT_THAT(ranks[0]->Send(1, sent.view()), IsOk());
  std::fill_n(sent.view().u8(), sent.bytes(), uint8_t{2});

  const kernels::Tensor got = Bytes(1 << 20, 0);
  ASSERT_THAT(ranks[1]->Receive(0, got.view(), Late()), IsOk());
  EXPECT_TRUE(AllAre(got, 1));
}

TEST_P(ChannelTest, ManyAreInFlightBothWaysBetweenAllRanks) {
  const Channels ranks = Connect(3);
  constexpr int kMessages = 20;
  constexpr int64_t kSize = 100'000;

  std::vector<std::thread> threads;
  for (int rank = 0; rank < 3; ++rank) {
    threads.emplace_back([&, rank] {
      Channel& channel = *ranks[static_cast<size_t>(rank)];
      for (int i = 0; i < kMessages; ++i) {
        for (int peer = 0; peer < 3; ++peer) {
          if (peer == rank) continue;
          EXPECT_THAT(channel.Send(peer, Bytes(kSize, 50 * rank + i).view()),
                      IsOk());
        }
      }
      for (int i = 0; i < kMessages; ++i) {
        for (int peer = 0; peer < 3; ++peer) {
          if (peer == rank) continue;
          const kernels::Tensor got = Bytes(kSize, 0);
          EXPECT_THAT(channel.Receive(peer, got.view(), Late()), IsOk());
          EXPECT_TRUE(AllAre(got, 50 * peer + i));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(ChannelTest, DeadlinePassesAndTheMessageIsNotLost) {
  const Channels ranks = Connect(2);
  const kernels::Tensor got = Bytes(3, 0);

  EXPECT_THAT(ranks[1]->Receive(0, got.view(),
                                RealClock().Now() + absl::Milliseconds(20)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));

  ASSERT_THAT(ranks[0]->Send(1, Bytes(3, 9).view()), IsOk());
  EXPECT_THAT(ranks[1]->Receive(0, got.view(), Late()), IsOk());
  EXPECT_TRUE(AllAre(got, 9));
}

TEST_P(ChannelTest, WrongSizeIsRefused) {
  const Channels ranks = Connect(2);
  ASSERT_THAT(ranks[0]->Send(1, Bytes(5, 1).view()), IsOk());

  const kernels::Tensor got = Bytes(4, 0);
  EXPECT_THAT(ranks[1]->Receive(0, got.view(), Late()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(ChannelTest, PeerThatDiesEndsAWait) {
  Channels ranks = Connect(2);
  absl::Notification waits;
  absl::Status status;

  std::thread waiter([&] {
    const kernels::Tensor got = Bytes(4, 0);
    waits.Notify();
    status = ranks[1]->Receive(0, got.view(), Late());
  });
  waits.WaitForNotification();
  ranks[0].reset();
  waiter.join();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(ChannelTest, PeerThatDiedIsNotSentTo) {
  Channels ranks = Connect(2);
  ranks[0].reset();
  const kernels::Tensor got = Bytes(4, 0);
  // Tells that the death is known.
  ASSERT_THAT(ranks[1]->Receive(0, got.view(), Late()),
              StatusIs(absl::StatusCode::kUnavailable));

  EXPECT_THAT(ranks[1]->Send(0, Bytes(4, 0).view()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(ChannelTest, PeerThatDiesAfterASendLosesNoneThatCame) {
  Channels ranks = Connect(2);
  ASSERT_THAT(ranks[0]->Send(1, Bytes(4, 3).view()), IsOk());
  const kernels::Tensor got = Bytes(4, 0);
  ASSERT_THAT(ranks[1]->Receive(0, got.view(), Late()), IsOk());

  ranks[0].reset();

  EXPECT_TRUE(AllAre(got, 3));
  EXPECT_THAT(ranks[1]->Receive(0, got.view(), Late()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(ChannelTest, PeerThatDiesDuringASendIsFound) {
  Channels ranks = Connect(2);
  // More than sockets hold, to a peer that takes none.
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(ranks[0]->Send(1, Bytes(int64_t{16} << 20, i).view()), IsOk());
  }

  ranks[1].reset();

  const kernels::Tensor got = Bytes(4, 0);
  EXPECT_THAT(ranks[0]->Receive(1, got.view(), Late()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(ChannelTest, SlowPeerGetsEverything) {
  const Channels ranks = Connect(2);
  for (int i = 0; i < 8; ++i) {
    ASSERT_THAT(ranks[0]->Send(1, Bytes(int64_t{4} << 20, i).view()), IsOk());
  }

  for (int i = 0; i < 8; ++i) {
    const kernels::Tensor got = Bytes(int64_t{4} << 20, 255);
    ASSERT_THAT(ranks[1]->Receive(0, got.view(), Late()), IsOk());
    EXPECT_TRUE(AllAre(got, i));
  }
}

TEST_P(ChannelTest, AbortFromAnotherThreadEndsAWait) {
  const Channels ranks = Connect(2);
  absl::Notification waits;
  absl::Status status;

  std::thread waiter([&] {
    const kernels::Tensor got = Bytes(4, 0);
    waits.Notify();
    status = ranks[1]->Receive(0, got.view(), Late());
  });
  waits.WaitForNotification();
  ranks[1]->Abort(absl::AbortedError("the group ended"));
  waiter.join();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(ranks[1]->Send(0, Bytes(1, 0).view()),
              StatusIs(absl::StatusCode::kAborted));
  const kernels::Tensor got = Bytes(4, 0);
  EXPECT_THAT(ranks[0]->Receive(1, got.view(), Late()),
              StatusIs(absl::StatusCode::kUnavailable));
}

INSTANTIATE_TEST_SUITE_P(
    Channels, ChannelTest,
    ::testing::Values(ChannelCase{"Loopback",
                                  [](int size) {
                                    return MakeLoopbackChannels(size,
                                                                RealClock());
                                  }},
                      ChannelCase{"Gloo", ConnectGloo}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tessera::pipeline
