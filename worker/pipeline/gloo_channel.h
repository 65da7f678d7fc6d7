// A channel between processes over TCP, by Gloo.
#ifndef TESSERA_WORKER_PIPELINE_GLOO_CHANNEL_H_
#define TESSERA_WORKER_PIPELINE_GLOO_CHANNEL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "worker/pipeline/channel.h"

namespace tessera::pipeline {

// One rank's end before it knows the others. Thread-compatible.
class GlooEndpoint {
 public:
  // Listens at `host`, a name or address of this machine that the other ranks
  // can reach. A rank that does not answer within `timeout` fails Connect.
  // `clock` tells deadlines and must outlive the channel. Errors:
  // INVALID_ARGUMENT when the host is no address of this machine.
  static absl::StatusOr<std::unique_ptr<GlooEndpoint>> Open(
      int rank, int size, const std::string& host, absl::Duration timeout,
      Clock& clock);
  ~GlooEndpoint();

  GlooEndpoint(const GlooEndpoint&) = delete;
  GlooEndpoint& operator=(const GlooEndpoint&) = delete;

  // What the other ranks need to connect; opaque.
  const std::string& address() const;

  // Connects with all ranks, whose addresses are given by rank; all call it at
  // about the same time. To be called once. Errors: UNAVAILABLE when a rank
  // does not answer in time, INVALID_ARGUMENT for what is no address.
  absl::StatusOr<std::unique_ptr<Channel>> Connect(
      const std::vector<std::string>& addresses);

 private:
  class Impl;
  explicit GlooEndpoint(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_GLOO_CHANNEL_H_
