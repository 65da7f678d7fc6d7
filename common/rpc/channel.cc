#include "common/rpc/channel.h"

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace tessera::rpc {
namespace {

// The client's ping interval must not be shorter than what the server allows,
// or the server closes the connection (gRPC doc/keepalive.md).
constexpr int kClientPingMilliseconds = 20'000;
// A peer that is cut off without a word is noticed after both together.
constexpr int kPingTimeoutMilliseconds = 10'000;
// Half of the clients' interval, so that a late ping and one on time behind it
// do not look like abuse.
constexpr int kServerMinPingMilliseconds = 10'000;
// Short at first, as most peers that are away are only restarting.
constexpr int kMinBackoffMilliseconds = 100;
// The most that a client may find a restarted coordinator too late.
constexpr int kMaxBackoffMilliseconds = 2'000;

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  // A shard with its prompts is larger than gRPC's default of 4 MB.
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // Without pings a connection that a router forgot would look alive until a
  // call on it runs out of time.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kClientPingMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMilliseconds);
  // All three are set: gRPC's own delays grow to two minutes, during which a
  // restarted coordinator would seem dead.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                   kMinBackoffMilliseconds);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kMinBackoffMilliseconds);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxBackoffMilliseconds);
  // A proxy configured for the web must not swallow cluster traffic.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Insecure credentials: who may connect is for the network to decide.
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(),
                                   arguments);
}

void ApplyServerSettings(grpc::ServerBuilder& builder) {
  // The same limits at both ends, so that what one may send the other takes.
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  // Otherwise the server would answer the clients' pings with GOAWAY.
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      kServerMinPingMilliseconds);
  // With it two coordinators could listen on one port and share its calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace tessera::rpc
