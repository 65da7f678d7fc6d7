// A program started by this one, which does not outlive it.
#ifndef TESSERA_CLIENT_CHILD_PROCESS_H_
#define TESSERA_CLIENT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tessera::client {

// How a process ended.
struct ExitState {
  int code = 0;    // exit code; 0 when a signal ended it
  int signal = 0;  // the signal that ended it; 0 when it exited

  bool ok() const { return code == 0 && signal == 0; }
  // Returns "exit code 2" or "signal 9 (Killed)".
  std::string ToString() const;
};

// A running program. It gets its own process group, so that Ctrl-C reaches
// only its parent, and is killed by the kernel when the thread that started
// it dies. Movable; the destructor kills and reaps. Thread-compatible.
class ChildProcess {
 public:
  // Starts `program` (a path) with `arguments`. Standard input is empty;
  // standard output and error are appended to the file `log`. Errors:
  // INTERNAL when the log or the program cannot be opened.
  static absl::StatusOr<ChildProcess> Start(
      const std::string& program, const std::vector<std::string>& arguments,
      const std::string& log);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }

  // Returns how the process ended, or nothing while it runs. Does not block.
  std::optional<ExitState> Poll();

  // Sends a signal; does nothing after the process has ended.
  void Signal(int signal);

  // Waits until the process ends, at most `limit`. Returns as Poll.
  std::optional<ExitState> Wait(Clock& clock, absl::Duration limit);

  // Asks the process to end (SIGTERM) and kills it after `grace`.
  ExitState Stop(Clock& clock, absl::Duration grace);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_;
  std::optional<ExitState> ended_;
};

// Returns the path of a program of ours: beside this one, else in PATH.
// Errors: INTERNAL.
absl::StatusOr<std::string> FindSibling(const std::string& name);

// Returns the last `lines` lines of a file; empty when it cannot be read.
std::string ReadTail(const std::string& path, int lines);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_CHILD_PROCESS_H_
