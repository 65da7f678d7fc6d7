// tessera-coordinator: takes jobs and leases their shards to workers.
//
// Exit codes: 0 after SIGTERM or SIGINT, 1 cannot start on this machine,
// 2 wrong flags.
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/folder_blob_store.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/storage/output_places.h"
#include "common/storage/s3_blob_store.h"
#include "common/storage/s3_url.h"
#include "coordinator/options.h"
#include "coordinator/server.h"
#include "coordinator/store/memory_job_store.h"
#include "coordinator/store/sqlite_job_store.h"
#include "worker/lora/inspect.h"

namespace tessera::coordinator {
namespace {

// As the head of this file promises to scripts and to service managers.
constexpr int kExitCannotStart = 1;
constexpr int kExitBadUsage = 2;

// Reads the environment; the only place that does, so that libraries and tests
// need none.
std::optional<std::string> ReadEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// Blocks the signals that end the process, in this thread and those it starts.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Makes a folder with its parents. UNAVAILABLE: the machine's state is wrong,
// not the flags.
absl::Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  // A store without a folder in its name lies in the current one.
  if (folder.empty()) return absl::OkStatus();
  std::filesystem::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "cannot make the folder ", folder.string(), ": ", error.message()));
}

// Opens the store that the flags name, making the folders it needs.
absl::StatusOr<std::unique_ptr<JobStore>> OpenStore(const Options& options) {
  RETURN_IF_ERROR(MakeFolder(options.data));
  ASSIGN_OR_RETURN(const std::string file, StoreFile(options));
  // Named so by StoreFile: "memory:".
  if (file.empty()) return std::make_unique<MemoryJobStore>();
  RETURN_IF_ERROR(MakeFolder(std::filesystem::path(file).parent_path()));
  absl::StatusOr<std::unique_ptr<SqliteJobStore>> store =
      SqliteJobStore::Open(file);
  RETURN_IF_ERROR(store.status());
  return *std::move(store);
}

// Opens the store of the LoRAs' files. Uploads are kept in the data folder in
// any case, until they are whole.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenBlobs(const Options& options,
                                                     storage::S3Access& s3) {
  const bool in_bucket = storage::IsS3Uri(options.blobs);
  const std::string folder = options.blobs.empty() || in_bucket
                                 ? absl::StrCat(options.data, "/blobs")
                                 : options.blobs;
  ASSIGN_OR_RETURN(std::unique_ptr<BlobStore> local,
                   FolderBlobStore::Open(folder, RealClock()));
  if (!in_bucket) return local;
  ASSIGN_OR_RETURN(storage::S3Location location,
                   storage::ParseS3Uri(options.blobs));
  return std::make_unique<storage::S3BlobStore>(std::move(location),
                                                s3.client(), std::move(local));
}

// Opens the files of LoRAs. They are looked
// at by the code that workers apply them with, so that what is accepted here is
// not refused there.
absl::StatusOr<LoraParts> OpenLoras(const Options& options,
                                    storage::S3Access& s3) {
  LoraParts parts;
  ASSIGN_OR_RETURN(parts.blobs, OpenBlobs(options, s3));
  parts.inspector = [](const std::string& path) -> absl::StatusOr<LoraFacts> {
    ASSIGN_OR_RETURN(const lora::AdapterFacts facts,
                     lora::InspectAdapterFile(path));
    return LoraFacts{facts.dialect, static_cast<int32_t>(facts.layers)};
  };
  return parts;
}

// Serves until a signal comes.
absl::Status Run(const Options& options) {
  const sigset_t signals = BlockSignals();  // before any thread starts
  // Outlives all that writes to buckets.
  storage::S3Access s3(ReadEnvironment, std::random_device()(), RealClock());
  ASSIGN_OR_RETURN(std::unique_ptr<JobStore> store, OpenStore(options));
  ASSIGN_OR_RETURN(LoraParts loras, OpenLoras(options, s3));
  ServerOptions server_options;
  server_options.listen = options.listen;
  server_options.metrics_listen = options.metrics_listen;
  server_options.coordinator.lease_duration = options.lease_duration;
  server_options.coordinator.outputs = storage::OutputPlaces(&s3);
  ASSIGN_OR_RETURN(const std::unique_ptr<Server> server,
                   Server::Start(server_options, RealClock(), std::move(store),
                                 std::move(loras)));
  Log(Severity::kInfo, "coordinator started",
      {{"listen", options.listen},
       {"port", server->port()},
       {"metrics_port", server->metrics_port()},
       {"store", options.store},
       {"version", TESSERA_VERSION}});
  int signal = 0;
  // The main thread has nothing to do until then. Signals are taken here and
  // nowhere else, so no handler has to be safe for them.
  ::sigwait(&signals, &signal);
  Log(Severity::kInfo, "coordinator stopping", {{"signal", signal}});
  server->Shutdown();
  Log(Severity::kInfo, "coordinator stopped", {});
  return absl::OkStatus();
}

// Says on stderr what a person has to mend; the log may be JSON for a machine.
int Fail(int code, const absl::Status& status) {
  std::fprintf(stderr, "tessera-coordinator: %s\n",
               std::string(status.message()).c_str());
  return code;
}

// Parses the flags and serves; returns the exit code.
int Main(const std::vector<std::string>& arguments) {
  // Before anything is parsed: --help works beside wrong flags.
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      std::fputs(HelpText().c_str(), stdout);
      return 0;
    }
    if (argument == "--version") {
      std::puts("tessera-coordinator " TESSERA_VERSION);
      return 0;
    }
  }
  const absl::StatusOr<Options> options =
      ParseOptions(ReadEnvironment, arguments);
  if (!options.ok()) return Fail(kExitBadUsage, options.status());
  ConfigureLog(options->log_format, Severity::kInfo);
  // A client that goes away must not end the process; writes report it.
  std::signal(SIGPIPE, SIG_IGN);
  const absl::Status status = Run(*options);
  return status.ok() ? 0 : Fail(kExitCannotStart, status);
}

}  // namespace
}  // namespace tessera::coordinator

int main(int argc, char** argv) {
  return tessera::coordinator::Main(
      std::vector<std::string>(argv + 1, argv + argc));
}
