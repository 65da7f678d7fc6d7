#include "client/local_service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/retry.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// Only this machine can reach the service; it has no access control.
constexpr char kLoopback[] = "127.0.0.1";
// For metrics: nobody needs to know the port, and none may collide.
constexpr char kAnyPort[] = "127.0.0.1:0";
// Two others would have to take the port in the same instant, twice.
constexpr int kPortsTried = 3;
// Enough of a log to show why a program ended.
constexpr int kTailLines = 8;
// A coordinator starts in well under a second; the rest is for machines that
// swap or scan.
constexpr absl::Duration kStartLimit = absl::Seconds(30);
// A coordinator that starts is noticed at once; each look is one small call.
constexpr absl::Duration kReadyInterval = absl::Milliseconds(20);

}  // namespace

absl::StatusOr<int> FindFreePort() {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, kLoopback, &address.sin_addr);
  socklen_t size = sizeof(address);
  const int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  // Binding to port 0 has the kernel choose; the socket is closed again, since
  // only the number can be handed to a program.
  const bool bound = handle >= 0 && bind(handle, generic, size) == 0 &&
                     getsockname(handle, generic, &size) == 0;
  // Kept before close, which may overwrite it.
  const int error = errno;
  if (handle >= 0) close(handle);
  if (!bound) {
    return absl::InternalError(
        absl::StrCat("no free port: ", std::strerror(error)));
  }
  return ntohs(address.sin_port);
}

LocalService::LocalService(LocalServiceOptions options, Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

// Names one log a process, which restarts append to.
std::string LocalService::LogOf(const Role& role) const {
  return (std::filesystem::path(options_.folder) / (role.name + ".log"))
      .string();
}

// Describes the coordinator with a store in the temporary folder: it survives a
// crash of the coordinator, so that a restart goes on with the job.
LocalService::Role LocalService::CoordinatorRole() const {
  Role role;
  role.name = "coordinator";
  role.program = options_.coordinator_program;
  role.arguments = {
      "--listen",         address_,
      "--store",          absl::StrCat("sqlite:", options_.folder, "/store.db"),
      "--data",           absl::StrCat(options_.folder, "/data"),
      "--metrics-listen", kAnyPort};
  return role;
}

// Describes a worker. All share one cache of LoRAs and differ in their names
// only.
LocalService::Role LocalService::WorkerRole(int index) const {
  Role role;
  role.name = absl::StrCat("worker-", index);
  role.program = options_.worker_program;
  role.arguments = {
      "--coordinator",    address_,
      "--models",         options_.models,
      "--device",         "cpu",
      "--threads",        absl::StrCat(options_.threads),
      "--lora-cache",     absl::StrCat(options_.folder, "/lora-cache"),
      "--metrics-listen", kAnyPort};
  if (options_.pipeline) {
    // A stage never holds the whole model.
    role.arguments.push_back("--preload=false");
    role.arguments.push_back("--pipeline-host");
    role.arguments.push_back(kLoopback);
  }
  if (!options_.loras.empty()) {
    role.arguments.push_back("--lora");
    role.arguments.push_back(absl::StrJoin(options_.loras, ","));
  }
  return role;
}

// Starts the program of a role, in place of one that has ended.
absl::Status LocalService::Start(Role& role) {
  ASSIGN_OR_RETURN(
      ChildProcess process,
      ChildProcess::Start(role.program, role.arguments, LogOf(role)));
  role.process.clear();
  role.process.push_back(std::move(process));
  return absl::OkStatus();
}

// False as well when nothing happens in time.
bool LocalService::AwaitCoordinator(const std::function<bool()>& ready) {
  const absl::Time end = clock_.Now() + kStartLimit;
  while (clock_.Now() < end) {
    // Ended already, most likely because the port was taken.
    if (coordinator_.process.front().Poll().has_value()) return false;
    if (ready()) return true;
    // Through the clock, so that tests need not wait.
    Pause(clock_, kReadyInterval);
  }
  return false;
}

absl::Status LocalService::StartCoordinator(
    const std::function<bool()>& ready) {
  // The port may be taken between finding it and listening on it.
  for (int i = 0; i < kPortsTried; ++i) {
    ASSIGN_OR_RETURN(const int port, FindFreePort());
    address_ = absl::StrCat(kLoopback, ":", port);
    coordinator_ = CoordinatorRole();
    RETURN_IF_ERROR(Start(coordinator_));
    if (AwaitCoordinator(ready)) return absl::OkStatus();
    // Kills it before another one opens the same store.
    coordinator_.process.clear();
  }
  return absl::InternalError(
      absl::StrCat("the coordinator does not start:\n",
                   ReadTail(LogOf(coordinator_), kTailLines)));
}

absl::Status LocalService::StartWorkers() {
  for (int i = 0; i < options_.workers; ++i) {
    workers_.push_back(WorkerRole(i));
    RETURN_IF_ERROR(Start(workers_.back()));
  }
  return absl::OkStatus();
}

absl::Status LocalService::Revive(
    Role& role, const std::function<void(const std::string&)>& note) {
  // Given up, or never started.
  if (role.given_up || role.process.empty()) return absl::OkStatus();
  const auto ended = role.process.front().Poll();
  if (!ended.has_value()) return absl::OkStatus();
  // A worker that dies loses its lease; its shard goes to another or to itself
  // when it is back. Restarts are few, as a program that dies at each start
  // would never stop.
  if (role.restarts < kMostRestarts) {
    ++role.restarts;
    note(absl::StrCat(role.name, " ended with ", ended->ToString(),
                      ", starting it again (", role.restarts, " of ",
                      kMostRestarts, ")"));
    return Start(role);
  }
  role.given_up = true;
  note(absl::StrCat(role.name, " ended with ", ended->ToString(),
                    " again and is given up; the end of its log:\n",
                    ReadTail(LogOf(role), kTailLines)));
  return absl::OkStatus();
}

absl::Status LocalService::Supervise(
    const std::function<void(const std::string&)>& note) {
  // The coordinator first: workers wait for it, it does not for them.
  RETURN_IF_ERROR(Revive(coordinator_, note));
  for (Role& worker : workers_) RETURN_IF_ERROR(Revive(worker, note));
  if (coordinator_.given_up) {
    return absl::InternalError("the coordinator keeps ending");
  }
  // A single worker is enough to finish the job.
  const bool none_left =
      !workers_.empty() &&
      std::all_of(workers_.begin(), workers_.end(),
                  [](const Role& worker) { return worker.given_up; });
  if (none_left) {
    return absl::InternalError(
        absl::StrCat("all workers keep ending; the end of the last log:\n",
                     ReadTail(LogOf(workers_.back()), kTailLines)));
  }
  return absl::OkStatus();
}

void LocalService::StopWorkers(absl::Duration grace) {
  for (Role& worker : workers_) {
    // All are told before any is waited for, so that the grace is one for all.
    for (ChildProcess& process : worker.process) process.Signal(SIGTERM);
  }
  const absl::Time end = clock_.Now() + grace;
  for (Role& worker : workers_) {
    for (ChildProcess& process : worker.process) {
      // What is left of the grace; negative when it is used up, then Wait only
      // looks.
      process.Wait(clock_, end - clock_.Now());
    }
    worker.process.clear();  // kills
  }
}

void LocalService::Stop(absl::Duration grace) {
  // The coordinator outlives the workers: they need it to commit.
  StopWorkers(grace);
  for (ChildProcess& process : coordinator_.process) {
    process.Stop(clock_, grace);
  }
}

}  // namespace tessera::client
