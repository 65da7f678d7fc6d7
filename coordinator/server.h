// Puts the coordinator's parts together and takes them apart in order.
#ifndef TESSERA_COORDINATOR_SERVER_H_
#define TESSERA_COORDINATOR_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/blob_store.h"
#include "common/clock.h"
#include "coordinator/coordinator_options.h"
#include "coordinator/lora_library.h"
#include "coordinator/store/job_store.h"

namespace tessera::coordinator {

struct ServerOptions {
  std::string listen;          // host:port; port 0 picks one
  std::string metrics_listen;  // host:port; empty: no metrics
  CoordinatorOptions coordinator;
};

// What the registry of LoRAs is made of.
struct LoraParts {
  std::unique_ptr<BlobStore> blobs;  // holds the files
  LoraInspector inspector;
};

// The running service: gRPC with health and reflection, metrics, one thread
// that keeps time and one that seals jobs. Thread-safe.
class Server {
 public:
  // Opens the jobs and LoRAs of `store` and listens. Errors: UNAVAILABLE when
  // an address cannot be listened on; those of Coordinator::Open and
  // LoraLibrary::Open. `clock` must outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const ServerOptions& options, Clock& clock,
      std::unique_ptr<JobStore> store, LoraParts loras);

  // Shuts down as Shutdown does.
  ~Server();

  // Returns the ports that are listened on; 0 without metrics.
  int port() const;
  int metrics_port() const;

  // Answers the calls that are held, gives the others two seconds, and stops
  // the threads. Everything answered is durable. Repeating is harmless.
  void Shutdown();

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVER_H_
