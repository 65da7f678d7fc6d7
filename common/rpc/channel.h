// Client channels with the settings that both ends of the system agree on.
#ifndef TESSERA_COMMON_RPC_CHANNEL_H_
#define TESSERA_COMMON_RPC_CHANNEL_H_

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/server_builder.h"

namespace tessera::rpc {

// Largest message either end accepts. A shard of 64 pictures with prompts of
// the longest kind stays below it.
inline constexpr int kMaxMessageBytes = 64 << 20;

// Opens an insecure channel to `target` ("host:port"). Connecting happens
// later and again after failures, with at most 2 s between tries, so that a
// restarted coordinator is found quickly.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target);

// Gives a server the message limit, keepalive and one listener a port: a port
// in use is an error, never shared.
void ApplyServerSettings(grpc::ServerBuilder& builder);

}  // namespace tessera::rpc

#endif  // TESSERA_COMMON_RPC_CHANNEL_H_
