#include "client/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/retry.h"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

// How often a wait looks: a person does not notice it, a processor neither.
constexpr absl::Duration kPollInterval = absl::Milliseconds(10);
constexpr int kExecFailed = 127;  // as shells do
// Enough for the last lines of any log; a log may have grown to gigabytes.
constexpr int64_t kLongestTailBytes = 16 << 10;

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void Become(const char* program, char* const* arguments, int log,
                         pid_t parent) {
  // The parent may have blocked signals (TerminationSignals), and masks outlive
  // exec: the child would never hear SIGTERM.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // A group of its own: Ctrl-C on the terminal reaches only the parent, which
  // then stops its children in order.
  setpgid(0, 0);
  // The kernel kills the child when the parent dies, even by SIGKILL, so no
  // worker is left behind unseen.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExecFailed);  // it died before prctl
  // Nothing may wait for a person; read gives the end at once.
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(program, arguments);
  _exit(kExecFailed);
}

// Whether a path can be started: a file with the right to execute it.
bool IsProgram(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string ExitState::ToString() const {
  if (signal == 0) return absl::StrCat("exit code ", code);
  return absl::StrCat("signal ", signal, " (", strsignal(signal), ")");
}

absl::StatusOr<ChildProcess> ChildProcess::Start(
    const std::string& program, const std::vector<std::string>& arguments,
    const std::string& log) {
  const int output =
      // Appended, so that a restarted process continues the log of the one
      // before. The child's copies from dup2 are the only ones that survive
      // exec.
      open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) {
    return absl::InternalError(
        absl::StrCat(log, ": cannot be opened: ", std::strerror(errno)));
  }
  // Built before the fork: the child must not allocate, as another thread may
  // have held the allocator's lock at that instant.
  std::vector<char*> words = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    // execv takes pointers to char for historical reasons and changes nothing.
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(program.c_str(), words.data(), output, parent);
  const int error = errno;
  // The child has its own copies by now.
  close(output);
  if (pid < 0) {
    return absl::InternalError(
        absl::StrCat(program, ": cannot be started: ", std::strerror(error)));
  }
  return ChildProcess(pid);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    // Leaves an object that owns no process.
    : pid_(std::exchange(other.pid_, -1)), ended_(other.ended_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(ended_, other.ended_);
  return *this;
}

ChildProcess::~ChildProcess() {
  // A process that ended was reaped by Poll; its number may be another's now.
  if (pid_ <= 0 || Poll().has_value()) return;
  kill(pid_, SIGKILL);
  // Reaps it: a zombie would stay until this process ends.
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ExitState> ChildProcess::Poll() {
  if (pid_ <= 0 || ended_.has_value()) return ended_;
  int state = 0;
  // Also when waitpid fails: then nothing is known, and it counts as running.
  if (waitpid(pid_, &state, WNOHANG) != pid_) return std::nullopt;
  ended_ = WIFSIGNALED(state) ? ExitState{0, WTERMSIG(state)}
                              : ExitState{WEXITSTATUS(state), 0};
  return ended_;
}

void ChildProcess::Signal(int signal) {
  // Poll first: a number that was reaped must not get a signal.
  if (pid_ > 0 && !Poll().has_value()) kill(pid_, signal);
}

std::optional<ExitState> ChildProcess::Wait(Clock& clock,
                                            absl::Duration limit) {
  // Polls, since a wait for a child and a wait of `clock` cannot be joined.
  const absl::Time end = clock.Now() + limit;
  while (!Poll().has_value() && clock.Now() < end) {
    Pause(clock, kPollInterval);
  }
  return Poll();
}

ExitState ChildProcess::Stop(Clock& clock, absl::Duration grace) {
  Signal(SIGTERM);
  if (const auto ended = Wait(clock, grace)) return *ended;
  Signal(SIGKILL);
  // SIGKILL cannot be refused, so this ends.
  return Wait(clock, absl::InfiniteDuration()).value_or(ExitState());
}

absl::StatusOr<std::string> FindSibling(const std::string& name) {
  std::error_code error;
  // The program that runs, not the one that was asked for by name: siblings of
  // one build belong together, whatever PATH holds.
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error && IsProgram(self.parent_path() / name)) {
    return (self.parent_path() / name).string();
  }
  const char* path = std::getenv("PATH");
  for (const auto& folder : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    const fs::path candidate = fs::path(std::string(folder)) / name;
    // An empty part of PATH means the current folder; we do not start programs
    // from there.
    if (!folder.empty() && IsProgram(candidate)) return candidate.string();
  }
  return absl::InternalError(
      absl::StrCat("no program beside this one or in PATH: ", name));
}

std::string ReadTail(const std::string& path, int lines) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  // Opened at its end, so this is the size.
  const int64_t size = file.tellg();
  const int64_t count = std::min(size, kLongestTailBytes);
  std::string text(count, '\0');
  file.seekg(size - count);
  file.read(text.data(), count);
  // Otherwise the last line would be an empty one.
  while (!text.empty() && text.back() == '\n') text.pop_back();
  size_t begin = text.size();
  // Goes back one line a turn; stops early at the start of the text.
  for (int i = 0; i < lines && begin != std::string::npos && begin > 0; ++i) {
    begin = text.rfind('\n', begin - 1);
  }
  return begin == std::string::npos || text.empty() || begin == 0
             ? text
             : text.substr(begin + 1);
}

}  // namespace tessera::client
