// tessera-worker: makes the pictures of shards that a coordinator leases to it.
//
// Exit codes: 0 drained after SIGTERM or SIGINT, 1 cannot start on this
// machine, 2 wrong flags or no model, 3 the device was lost: start it again.
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/log.h"
#include "common/rpc/channel.h"
#include "common/status_macros.h"
#include "common/storage/output_places.h"
#include "kernels/device.h"
#include "tessera/internal/v1/worker_service.grpc.pb.h"
#include "tessera/v1/lora_service.grpc.pb.h"
#include "worker/command_line.h"
#include "worker/compute_device.h"
#include "worker/coordinator_link_grpc.h"
#include "worker/holdings_link.h"
#include "worker/lora/adapter_file.h"
#include "worker/lora/inspect.h"
#include "worker/lora/model_layers.h"
#include "worker/lora_download_grpc.h"
#include "worker/lora_store.h"
#include "worker/metered_executor.h"
#include "worker/metrics.h"
#include "worker/model_store.h"
#include "worker/node_loras.h"
#include "worker/options.h"
#include "worker/pipeline_link.h"
#include "worker/pipeline_member.h"
#include "worker/pipeline_source.h"
#include "worker/prefetching_executor.h"
#include "worker/resuming_source.h"
#include "worker/session.h"
#include "worker/shard_executor.h"
#include "worker/text_to_image_engine.h"

ABSL_FLAG(std::string, coordinator, "localhost:7070",
          "Address of the coordinator, host:port.");
ABSL_FLAG(std::string, models, "",
          "Folder of models: each subfolder with a model_index.json is one, "
          "named by the subfolder. Required.");
ABSL_FLAG(std::string, device, "auto",
          "cpu, cuda:N, or auto: the first GPU if one can be used, else cpu. "
          "One worker uses one device.");
ABSL_FLAG(std::string, compute_dtype, "auto",
          "f16 or bf16 of a GPU, or auto: f16 on a GPU; the CPU computes in "
          "f32.");
ABSL_FLAG(int, threads, 0, "Threads of the CPU device; 0: one a core.");
ABSL_FLAG(int, batch, 0,
          "Pictures that go through the UNet together; 0: chosen for the "
          "device.");
ABSL_FLAG(std::string, lora, "",
          "LoRAs that jobs may name, as NAME=FILE, comma separated.");
ABSL_FLAG(
    std::string, lora_cache, "",
    "Folder for the registry's LoRAs that jobs use, shared by the workers "
    "of this machine; empty: jobs may only name those of --lora.");
ABSL_FLAG(int64_t, lora_cache_bytes,
          tessera::worker::Options().lora_cache_bytes,
          "Bytes of files in --lora-cache; the same for all workers of this "
          "machine.");
ABSL_FLAG(int64_t, lora_memory_bytes,
          tessera::worker::Options().lora_memory_bytes,
          "Bytes of LoRAs that are kept parsed in memory.");
ABSL_FLAG(std::string, pipeline_host, "",
          "Name or address of this machine by which other workers reach it, "
          "for pipelines; empty: the machine's name.");
ABSL_FLAG(bool, preload, true,
          "Load the model at the start where there is one only; false: with "
          "the first shard, so that stages of a pipeline never hold it whole.");
ABSL_FLAG(std::string, metrics_listen, "",
          "Address of /metrics and /healthz, host:port; empty: none.");
ABSL_FLAG(std::string, log_format, "text", "text or json.");

namespace tessera::worker {
namespace {

// Exits as told above; 130 is what shells report of a process that was
// interrupted, and a second signal interrupts.
constexpr int kExitCannotStart = 1;
constexpr int kExitBadUsage = 2;
constexpr int kExitDeviceLost = 3;
constexpr int kExitInterrupted = 130;

// What --help prints above the flags.
constexpr char kUsage[] =
    "tessera-worker --models DIR [--coordinator HOST:PORT] [flags]\n"
    "Makes the pictures of shards that a coordinator leases to it. SIGTERM\n"
    "drains it: it finishes the pictures in flight, gives back the rest and\n"
    "exits; a second signal ends it at once. Exit code 3 says that the device\n"
    "was lost, which a new process gets back.\n";

// Names the program's own flags in the order of --help.
std::vector<std::string> FlagNames() {
  return {"coordinator",
          "models",
          "device",
          "compute_dtype",
          "threads",
          "batch",
          "lora",
          "lora_cache",
          "lora_cache_bytes",
          "lora_memory_bytes",
          "pipeline_host",
          "preload",
          "metrics_listen",
          "log_format"};
}

// Reads one variable of the environment, for SetFlags.
std::optional<std::string> ReadEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// Turns environment and arguments into checked options.
absl::StatusOr<Options> ReadOptions(const std::vector<std::string>& arguments) {
  RETURN_IF_ERROR(SetFlags(FlagNames(), ReadEnvironment, arguments));
  Options options;
  options.coordinator = absl::GetFlag(FLAGS_coordinator);
  options.models = absl::GetFlag(FLAGS_models);
  options.device = absl::GetFlag(FLAGS_device);
  options.compute_dtype = absl::GetFlag(FLAGS_compute_dtype);
  options.threads = absl::GetFlag(FLAGS_threads);
  options.batch = absl::GetFlag(FLAGS_batch);
  options.lora_cache = absl::GetFlag(FLAGS_lora_cache);
  options.lora_cache_bytes = absl::GetFlag(FLAGS_lora_cache_bytes);
  options.lora_memory_bytes = absl::GetFlag(FLAGS_lora_memory_bytes);
  ASSIGN_OR_RETURN(options.loras, ParseLoraFiles(absl::GetFlag(FLAGS_lora)));
  options.pipeline_host = absl::GetFlag(FLAGS_pipeline_host);
  options.preload = absl::GetFlag(FLAGS_preload);
  options.metrics_listen = absl::GetFlag(FLAGS_metrics_listen);
  ASSIGN_OR_RETURN(options.log_format,
                   ParseLogFormat(absl::GetFlag(FLAGS_log_format)));
  RETURN_IF_ERROR(Validate(options));
  return options;
}

// Returns this machine's name, or "unknown".
std::string HostName() {
  char name[256] = {};
  if (::gethostname(name, sizeof(name) - 1) != 0) return "unknown";
  return name;
}

// Drains a session at the first SIGTERM or SIGINT, ends the process at the
// second. Both must be blocked in every thread.
class SignalThread {
 public:
  explicit SignalThread(Session& session)
      : thread_([&session] { Watch(session); }) {}
  ~SignalThread() {
    // Ends Watch with a signal that only this class sends.
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

  // Blocks the signals in this thread and those it starts.
  static sigset_t Block() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
      sigaddset(&signals, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
  }

 private:
  // Waits for signals on its own thread, where, unlike in a handler, locks may
  // be taken and the log written.
  static void Watch(Session& session) {
    const sigset_t signals = Block();
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (signal == SIGUSR1) return;
    session.Drain();
    ::sigwait(&signals, &signal);
    // Skips destructors: the user does not want to wait for the pictures.
    if (signal != SIGUSR1) ::_exit(kExitInterrupted);
  }

  std::thread thread_;
};

// Says what the coordinator is told of this worker; the id is new at every
// start.
WorkerFacts DescribeWorker(const Options& options,
                           const kernels::Device& device,
                           const std::vector<std::string>& models) {
  WorkerFacts facts;
  facts.worker_id = MakeUniqueId("worker");
  facts.host = HostName();
  facts.device = device.name();
  facts.threads = device.threads();
  facts.version = TESSERA_VERSION;
  facts.models = models;
  facts.batch = ResolveBatch(options.batch, device.has_own_memory());
  return facts;
}

// Reads what is certain to be needed, so that damaged files end the worker
// before it takes work, and the first shard does not wait.
absl::Status LoadFirst(const Options& options,
                       const std::vector<std::string>& models,
                       ModelStore& store) {
  // Leaves the fit to the model that a job names.
  for (const auto& [name, file] : options.loras) {
    RETURN_IF_ERROR(lora::InspectAdapterFile(file).status());
  }
  // Leaves the choice to the first shard where there are several models.
  if (models.size() != 1 || !options.preload) return absl::OkStatus();
  return store.Get(models.front()).status();
}

// Opens the node's cache; null where the worker is started without one.
absl::StatusOr<std::unique_ptr<NodeLoras>> OpenNodeLoras(
    const Options& options, lora::BlobSource& source,
    lora::CacheEvents& events) {
  if (options.lora_cache.empty()) return nullptr;
  return NodeLoras::Open(options.lora_cache, options.lora_cache_bytes, source,
                         events, RealClock());
}

// Makes pictures until the worker is drained or its device lost, which is the
// error. `node` may be null.
absl::Status Serve(const Options& options, const WorkerFacts& facts,
                   ModelStore& models, PipelineMember& member, NodeLoras* node,
                   uint32_t jitter_seed, WorkerMetrics& metrics) {
  PipelineSource engines(models, member);
  // Outlives all that writes to buckets.
  storage::S3Access s3(ReadEnvironment, jitter_seed, RealClock());
  EngineExecutor engine_executor(
      engines, {facts.worker_id, facts.batch, storage::OutputPlaces(&s3)});
  MeteredExecutor metered(engine_executor, metrics);
  PrefetchingExecutor executor(metered, node ? &node->prefetcher() : nullptr);
  GrpcCoordinatorLink grpc_link(internal::v1::WorkerService::NewStub(
                                    rpc::MakeChannel(options.coordinator)),
                                facts);
  PipelineLink pipeline_link(grpc_link, member);
  HoldingsLink link(pipeline_link, [&] {
    return node ? node->cache().Held(kMostHeldLoras)
                : std::vector<std::string>();
  });
  SessionOptions session_options;
  session_options.jitter_seed = jitter_seed;
  Session session(link, executor, metrics, session_options, RealClock());
  // Is declared last and so ends first: no signal may reach a session that is
  // gone.
  const SignalThread signals(session);
  return session.Run();
}

// Runs a worker until it is drained or its device lost; returns the exit code.
// INVALID_ARGUMENT and NOT_FOUND are the user's to correct.
absl::StatusOr<int> RunWorker(const Options& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> models,
                   ListModels(options.models));
  ASSIGN_OR_RETURN(std::unique_ptr<kernels::Device> opened,
                   kernels::OpenDevice(options.device, options.threads));
  ASSIGN_OR_RETURN(const std::unique_ptr<kernels::Device> device,
                   InComputeType(std::move(opened), options.compute_dtype));
  const WorkerFacts facts = DescribeWorker(options, *device, models);

  // Comes before what counts in it.
  metrics::Registry registry;
  WorkerMetrics worker_metrics(registry);
  std::unique_ptr<metrics::Exposition> exposition;
  if (!options.metrics_listen.empty()) {
    ASSIGN_OR_RETURN(
        exposition, metrics::Exposition::Start(options.metrics_listen, registry,
                                               // Is healthy as long as the
                                               // process answers: a worker
                                               // without a coordinator still
                                               // makes pictures.
                                               [] { return true; }));
  }

  // Draws one seed for all waits: workers that lost the coordinator together
  // are not to return together.
  const uint32_t jitter_seed = std::random_device()();
  GrpcLoraSource download(
      v1::LoraService::NewStub(rpc::MakeChannel(options.coordinator)));
  ResumingSource source(download, {.jitter_seed = jitter_seed}, RealClock());
  ASSIGN_OR_RETURN(const std::unique_ptr<NodeLoras> node,
                   OpenNodeLoras(options, source,
                                 worker_metrics.lora_tier(LoraTier::kDisk)));
  // Borrows the device, as the store below does, so both end before it.
  LoraStore loras(
      {options.loras, options.lora_memory_bytes},
      [&](const std::string& path, const lora::ModelLayers& model,
          const lora::AdapterOptions& adapter_options) {
        return lora::ReadAdapterFile(path, model, adapter_options, *device);
      },
      node ? &node->cache() : nullptr,
      worker_metrics.lora_tier(LoraTier::kMemory));
  ModelStore store(
      options.models, models,
      [&](const std::string& name, const std::string& path) {
        return LoadTextToImageEngine(name, path, facts.batch, *device, loras);
      },
      [&](absl::Duration duration) {
        worker_metrics.ObserveModelLoad(duration);
      });
  RETURN_IF_ERROR(LoadFirst(options, models, store));
  PipelineMember member(
      {options.models,
       options.pipeline_host.empty() ? HostName() : options.pipeline_host},
      *device, loras, [&store] { store.Unload(); }, worker_metrics.stage(),
      RealClock());
  Log(Severity::kInfo, "worker started",
      {{"worker", facts.worker_id},
       {"coordinator", options.coordinator},
       {"device", device->description()},
       {"compute_dtype", kernels::Name(device->compute_dtype())},
       {"models", facts.models.size()},
       {"batch", facts.batch}});
  const absl::Status served = Serve(options, facts, store, member, node.get(),
                                    jitter_seed, worker_metrics);
  if (!served.ok()) {
    Log(Severity::kError, "worker ends to get its device back",
        {{"worker", facts.worker_id}, {"status", served}});
    return kExitDeviceLost;
  }
  Log(Severity::kInfo, "worker drained", {{"worker", facts.worker_id}});
  return 0;
}

// Says on standard error what stops the worker, and returns `code`.
int Fail(int code, const absl::Status& status) {
  std::fprintf(stderr, "tessera-worker: %s\n",
               std::string(status.message()).c_str());
  return code;
}

// Handles --help and --version before anything can fail.
int Main(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--help") {
      std::fputs(HelpText(kUsage, FlagNames()).c_str(), stdout);
      return 0;
    }
    if (argument == "--version") {
      std::puts("tessera-worker " TESSERA_VERSION);
      return 0;
    }
  }
  const absl::StatusOr<Options> options = ReadOptions(arguments);
  if (!options.ok()) return Fail(kExitBadUsage, options.status());
  ConfigureLog(options->log_format, Severity::kInfo);
  // Turns writing to a closed connection into an error of that call.
  std::signal(SIGPIPE, SIG_IGN);
  SignalThread::Block();  // before any thread starts
  const absl::StatusOr<int> code = RunWorker(*options);
  if (code.ok()) return *code;
  const absl::Status& status = code.status();
  // Tells what the user can correct from what only the machine can.
  const bool bad_usage =
      absl::IsInvalidArgument(status) || absl::IsNotFound(status);
  return Fail(bad_usage ? kExitBadUsage : kExitCannotStart, status);
}

}  // namespace
}  // namespace tessera::worker

int main(int argc, char** argv) {
  return tessera::worker::Main(std::vector<std::string>(argv + 1, argv + argc));
}
