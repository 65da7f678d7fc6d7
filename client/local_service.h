// A coordinator and workers of this machine, run as child processes.
#ifndef TESSERA_CLIENT_LOCAL_SERVICE_H_
#define TESSERA_CLIENT_LOCAL_SERVICE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/child_process.h"
#include "common/clock.h"

namespace tessera::client {

// What the service is made of.
struct LocalServiceOptions {
  std::string coordinator_program;  // paths
  std::string worker_program;
  std::string folder;  // for the store, caches and logs; exists
  std::string models;  // folder that holds the model folders
  int workers = 2;
  int threads = 1;                 // a worker
  std::vector<std::string> loras;  // NAME=FILE
  bool pipeline = false;           // the workers will be stages of pipelines
};

// Returns a TCP port of the loopback device that was free a moment ago.
// Errors: INTERNAL.
absl::StatusOr<int> FindFreePort();

// Starts, watches and stops the processes. The destructor kills what still
// runs. Thread-compatible.
class LocalService {
 public:
  // Restarts a process gets before it is given up.
  static constexpr int kMostRestarts = 3;

  LocalService(LocalServiceOptions options, Clock& clock);

  // Starts the coordinator and waits until `ready` says that it answers at
  // address(). Errors: INTERNAL with the end of its log.
  absl::Status StartCoordinator(const std::function<bool()>& ready);

  // Starts all workers. Errors: INTERNAL.
  absl::Status StartWorkers();

  // Returns host:port of the coordinator; changes only in StartCoordinator.
  const std::string& address() const { return address_; }

  // Restarts what has died; tells a person through `note`. Errors: INTERNAL
  // with the end of the log once the coordinator or the last worker has been
  // given up.
  absl::Status Supervise(const std::function<void(const std::string&)>& note);

  // Lets the workers finish and commit the pictures in flight; kills what takes
  // longer than `grace`. None is left, so no picture is written any more.
  void StopWorkers(absl::Duration grace);

  // Stops the workers and then the coordinator, each with `grace`.
  void Stop(absl::Duration grace);

 private:
  // One process and how to start it again.
  struct Role {
    std::string name;  // also of its log
    std::string program;
    std::vector<std::string> arguments;
    std::vector<ChildProcess> process;  // empty or one
    int restarts = 0;
    bool given_up = false;
  };

  absl::Status Start(Role& role);
  // Starts `role` again if it has ended; says so, and why, through `note`.
  absl::Status Revive(Role& role,
                      const std::function<void(const std::string&)>& note);
  std::string LogOf(const Role& role) const;
  Role CoordinatorRole() const;
  Role WorkerRole(int index) const;
  // Waits until the started coordinator answers or ends.
  bool AwaitCoordinator(const std::function<bool()>& ready);

  LocalServiceOptions options_;
  Clock& clock_;
  std::string address_;
  Role coordinator_;
  std::vector<Role> workers_;
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_LOCAL_SERVICE_H_
