#include "coordinator/server.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/rpc/channel.h"
#include "common/status_macros.h"
#include "coordinator/coordinator.h"
#include "coordinator/metered_job_store.h"
#include "coordinator/metrics.h"
#include "coordinator/periodic_thread.h"
#include "coordinator/service/generation_service.h"
#include "coordinator/service/idle_workers.h"
#include "coordinator/service/job_watchers.h"
#include "coordinator/service/lora_service.h"
#include "coordinator/service/shard_codec.h"
#include "coordinator/service/worker_service.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/server_builder.h"

namespace tessera::coordinator {
namespace {

// Calls share the store's one writer, so threads only have to be enough for
// their commits to be grouped.
constexpr int kCallThreads = 16;
// Calls that wait for a thread; those beyond get RESOURCE_EXHAUSTED (I10). A
// cluster of thousands of workers calling at once stays below it.
constexpr size_t kMaxWaitingCalls = 4096;
// Followed jobs are looked at twice a second, held calls and leases too: a
// lease ends at most this long after its time.
constexpr absl::Duration kTickInterval = absl::Milliseconds(500);
// Short, because the last picture of a small job waits for it.
constexpr absl::Duration kSealInterval = absl::Milliseconds(100);
// Longest time that a call of an idle worker is held. Shorter than what proxies
// and load balancers allow a silent call.
constexpr absl::Duration kMaxHold = absl::Seconds(10);
// Calls about LoRAs have threads of their own: they read and digest whole
// files, and a worker's Synchronize must not wait behind them.
constexpr int kLoraThreads = 8;
constexpr size_t kMaxWaitingLoraCalls = 1024;
// Uploads expire after a day, so this may be rare.
constexpr absl::Duration kSweepInterval = absl::Hours(1);
// As long as a store that is slow, not stuck, may need for its commit.
constexpr absl::Duration kShutdownGrace = absl::Seconds(2);

}  // namespace

// Members are in the order of construction; each uses only those above it.
class Server::Parts {
 public:
  Parts(const ServerOptions& options, Clock& clock,
        std::unique_ptr<JobStore> store, LoraParts loras)
      : options_(options),
        clock_(clock),
        metrics_(registry_),
        store_(std::move(store)),
        lora_parts_(std::move(loras)),
        metered_store_(*store_, clock, metrics_),
        pool_(std::make_unique<CallPool>(kCallThreads, kMaxWaitingCalls)),
        lora_pool_(
            std::make_unique<CallPool>(kLoraThreads, kMaxWaitingLoraCalls)),
        frame_{*pool_, clock, metrics_},
        lora_frame_{*lora_pool_, clock, metrics_},
        // Half a lease, so that a held worker never looks lost.
        idle_(frame_,
              std::min(kMaxHold, options.coordinator.lease_duration / 2)) {}

  // Starts what needs the coordinator, which needs what was made before: its
  // callback reaches the held calls. The destructor undoes a start that fails
  // halfway.
  absl::Status Start() {
    ASSIGN_OR_RETURN(
        coordinator_,
        Coordinator::Open(options_.coordinator, clock_, metered_store_,
                          task_reader_, [this] { idle_.Wake(); }));
    watchers_ = std::make_unique<JobWatchers>(frame_, *coordinator_);
    generation_ =
        std::make_unique<GenerationService>(frame_, *coordinator_, *watchers_);
    workers_ = std::make_unique<WorkerService>(frame_, *coordinator_, idle_);
    ASSIGN_OR_RETURN(library_,
                     LoraLibrary::Open(*coordinator_, *lora_parts_.blobs,
                                       lora_parts_.inspector));
    loras_ =
        std::make_unique<LoraService>(lora_frame_, *coordinator_, *library_);
    // From here on calls come in; all that they use is there.
    RETURN_IF_ERROR(Listen());
    if (!options_.metrics_listen.empty()) {
      ASSIGN_OR_RETURN(exposition_, metrics::Exposition::Start(
                                        options_.metrics_listen, registry_,
                                        [this] { return healthy_.load(); }));
    }
    // Once before the threads start, so that a server that was started is also
    // healthy and its metrics are not empty.
    Tick();
    ticker_ = std::make_unique<PeriodicThread>(clock_, kTickInterval,
                                               [this] { Tick(); });
    sweeper_ = std::make_unique<PeriodicThread>(clock_, kSweepInterval,
                                                [this] { Sweep(); });
    sealer_ = std::make_unique<PeriodicThread>(clock_, kSealInterval,
                                               [this] { Seal(); });
    return absl::OkStatus();
  }

  ~Parts() { Shutdown(); }

  // Stops in the order in which nothing waits for something already gone.
  void Shutdown() {
    // Never started, or shut down before.
    if (grpc_ == nullptr) return;
    // First: whoever balances load stops sending new calls here.
    healthy_ = false;
    grpc_->GetHealthCheckService()->SetServingStatus(false);
    // Held calls are answered now; otherwise gRPC would wait for them until the
    // grace is over.
    idle_.Stop();
    watchers_->Stop();
    // Calls that run are given the grace, then cancelled. Whoever is cut off
    // does not know whether its commit is stored, and repeats it.
    grpc_->Shutdown(absl::ToChronoTime(clock_.Now() + kShutdownGrace));
    // Joins the threads. From here on only the pool runs.
    ticker_.reset();
    sealer_.reset();
    sweeper_.reset();
    exposition_.reset();
    grpc_.reset();
    lora_pool_.reset();
    pool_.reset();  // what is queued still uses the coordinator
  }

  int port() const { return port_; }
  int metrics_port() const { return exposition_ ? exposition_->port() : 0; }

 private:
  // Listens for clients and workers. Errors: UNAVAILABLE, also for an address
  // that cannot be read.
  absl::Status Listen() {
    // Before the builder: gRPC takes both settings when a server is built.
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    rpc::ApplyServerSettings(builder);
    // gRPC writes the port that it got, which matters for port 0; 0 afterwards
    // means that this address failed.
    builder.AddListeningPort(options_.listen, grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(generation_.get());
    builder.RegisterService(workers_.get());
    builder.RegisterService(loras_.get());
    grpc_ = builder.BuildAndStart();
    if (grpc_ != nullptr && port_ != 0) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options_.listen,
                     ": port in use or address not of this machine"));
  }

  // Keeps time: held calls, followed jobs, leases, metrics, health. Runs on the
  // ticker's thread and once in Start.
  void Tick() {
    // First, as it only hands calls to the pool; what follows may wait for the
    // store.
    idle_.Expire();
    watchers_->Pulse();
    // The health of the process shows a store that fails here; the process goes
    // on and tries again.
    const absl::Status status = coordinator_->Tick().status();
    const absl::StatusOr<CoordinatorStats> stats = coordinator_->Stats();
    if (stats.ok()) metrics_.Update(*stats);
    // Told once a change: a full disk would otherwise fill the log.
    if (healthy_.exchange(status.ok()) != status.ok() && !status.ok()) {
      Log(Severity::kError, "store does not answer", {{"error", status}});
    }
  }

  // Seals what is due, on a thread of its own: a big job takes minutes, and
  // leases must expire meanwhile.
  void Seal() {
    const absl::StatusOr<int64_t> sealed = coordinator_->SealDue();
    if (sealed.ok()) {
      // Those who watch a job are waiting for just this.
      if (*sealed > 0) watchers_->Pulse();
      seal_failing_ = false;
      // Told once, until it works again.
    } else if (!std::exchange(seal_failing_, true)) {
      Log(Severity::kError, "cannot seal jobs", {{"error", sealed.status()}});
    }
  }

  // Forgets uploads that were given up.
  void Sweep() {
    const absl::Status status = library_->ExpireUploads();
    if (status.ok()) return;
    Log(Severity::kWarning, "cannot forget uploads", {{"error", status}});
  }

  const ServerOptions options_;
  Clock& clock_;
  metrics::Registry registry_;
  Metrics metrics_;
  const std::unique_ptr<JobStore> store_;
  const LoraParts lora_parts_;
  MeteredJobStore metered_store_;
  const ShardTaskReader task_reader_;
  std::unique_ptr<CallPool> pool_;
  std::unique_ptr<CallPool> lora_pool_;
  const CallFrame frame_;
  const CallFrame lora_frame_;
  IdleWorkers idle_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<LoraLibrary> library_;
  std::unique_ptr<JobWatchers> watchers_;
  std::unique_ptr<GenerationService> generation_;
  std::unique_ptr<WorkerService> workers_;
  std::unique_ptr<LoraService> loras_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<metrics::Exposition> exposition_;
  std::atomic<bool> healthy_{false};
  bool seal_failing_ = false;  // of the sealing thread
  std::unique_ptr<PeriodicThread> ticker_;
  std::unique_ptr<PeriodicThread> sealer_;
  std::unique_ptr<PeriodicThread> sweeper_;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const ServerOptions& options, Clock& clock, std::unique_ptr<JobStore> store,
    LoraParts loras) {
  // A failed start is undone by the destructor of the parts.
  auto parts = std::make_unique<Parts>(options, clock, std::move(store),
                                       std::move(loras));
  RETURN_IF_ERROR(parts->Start());
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() = default;

int Server::port() const { return parts_->port(); }

int Server::metrics_port() const { return parts_->metrics_port(); }

void Server::Shutdown() { parts_->Shutdown(); }

}  // namespace tessera::coordinator
