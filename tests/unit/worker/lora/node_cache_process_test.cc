// The node's cache among processes: one fetches, others wait, some are killed.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "common/check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/lora/cache_harness.h"
#include "worker/lora/node_cache.h"

namespace tessera::lora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kCrashed = 7;  // the child's exit code at a scripted crash

// One direction between two processes.
class Pipe {
 public:
  Pipe() { CHECK(::pipe(ends_) == 0); }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void Signal() { CHECK(::write(ends_[1], "x", 1) == 1); }
  void Await() {
    char byte = 0;
    CHECK(::read(ends_[0], &byte, 1) == 1);
  }

 private:
  int ends_[2];
};

// Runs `body` in a child that ends with its result. Killed when destroyed.
class Child {
 public:
  explicit Child(const std::function<int()>& body) : id_(::fork()) {
    CHECK(id_ >= 0);
    if (id_ == 0) ::_exit(body());
  }
  ~Child() {
    if (id_ > 0) Kill();
  }
  // Returns the exit code, or -1 after a signal.
  int Wait() {
    int status = 0;
    CHECK(::waitpid(id_, &status, 0) == id_);
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void Kill() {
    ::kill(id_, SIGKILL);
    Wait();
  }

 private:
  pid_t id_;
};

// The machine's clock, which tells when somebody begins to wait.
class WaitSignalClock final : public Clock {
 public:
  explicit WaitSignalClock(std::function<void()> on_wait)
      : on_wait_(std::move(on_wait)) {}
  absl::Time Now() override { return RealClock().Now(); }
  bool AwaitWithTimeout(absl::Mutex& mu, const absl::Condition& condition,
                        absl::Duration timeout) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    if (on_wait_) std::exchange(on_wait_, nullptr)();
    return RealClock().AwaitWithTimeout(mu, condition, timeout);
  }

 private:
  std::function<void()> on_wait_;
};

class NodeCacheProcessTest : public CacheTest {
 protected:
  const std::string a_ = source_.Put(std::string(40, 'a'));
  const std::string b_ = source_.Put(std::string(40, 'b'));
  const std::string c_ = source_.Put(std::string(40, 'c'));
};

TEST_F(NodeCacheProcessTest, OneProcessFetchesAndTheOtherWaits) {
  Pipe fetching, go_on;
  Child child([&] {
    source_.on_fetch = [&] {
      fetching.Signal();
      go_on.Await();
    };
    return Make(1000, RealClock())->Open(a_).ok() ? 0 : 1;
  });
  fetching.Await();
  WaitSignalClock clock([&] { go_on.Signal(); });
  const auto cache = Make(1000, clock);

  EXPECT_EQ(Use(*cache, a_), std::string(40, 'a'));

  EXPECT_EQ(child.Wait(), 0);
  EXPECT_THAT(source_.fetched, IsEmpty());
  EXPECT_EQ(events_.hits, 1);
  EXPECT_THAT(Files(), ElementsAre(a_ + ".safetensors"));
}

TEST_F(NodeCacheProcessTest, TakesOverFromAProcessKilledWhileFetching) {
  Pipe fetching, never;
  Child child([&] {
    source_.on_fetch = [&] {
      fetching.Signal();
      never.Await();
    };
    return Make(1000, RealClock())->Open(a_).ok() ? 0 : 1;
  });
  fetching.Await();
  WaitSignalClock clock([&] { child.Kill(); });
  const auto cache = Make(1000, clock);

  EXPECT_EQ(Use(*cache, a_), std::string(40, 'a'));

  EXPECT_THAT(source_.fetched, ElementsAre(a_));
}

TEST_F(NodeCacheProcessTest, GivesUpOnAProcessThatMakesNoProgress) {
  Pipe fetching, never;
  Child child([&] {
    source_.on_fetch = [&] {
      fetching.Signal();
      never.Await();
    };
    return Make(1000, RealClock())->Open(a_).ok() ? 0 : 1;
  });
  fetching.Await();
  const auto cache = Make(1000);  // its clock passes the two minutes at once

  EXPECT_THAT(cache->Open(a_), testing::StatusIs(absl::StatusCode::kUnavailable,
                                                 ::testing::HasSubstr(a_)));
}

TEST_F(NodeCacheProcessTest, APinHoldsInEveryProcessUntilItsOwnerDies) {
  Pipe pinned, never;
  Child child([&] {
    const absl::StatusOr<CachedFile> used = Make(100)->Open(a_);
    pinned.Signal();
    never.Await();
    return 0;
  });
  pinned.Await();
  const auto cache = Make(100);
  clock_.Advance(absl::Seconds(1));
  Use(*cache, b_);

  Use(*cache, c_);
  EXPECT_THAT(cache->Held(10), ElementsAre(c_, a_));

  child.Kill();
  Use(*cache, b_);
  EXPECT_THAT(cache->Held(10), ElementsAre(b_, c_));
}

// Everything that changes the disk: a fetch, one that must evict, a spoilt one
// and a spoilt entry.
int ChangeEverything(NodeCache& cache, const std::string& a,
                     const std::string& b, const std::string& c,
                     const std::string& entry_of_a) {
  if (!cache.Open(a).ok()) return 1;
  testing::WriteText(entry_of_a, "spoilt on the disk");
  for (const std::string& sha256 : {a, b, c}) {
    if (!cache.Open(sha256).ok()) return 2;
  }
  return 0;
}

TEST_F(NodeCacheProcessTest, ACrashAtAnyStepLeavesNothingThatIsTrustedWrongly) {
  source_.piece = 40;  // fewer steps that are alike
  int crashes = 0;
  for (int step = 0;; ++step) {
    std::filesystem::remove_all(folder());
    Child child([&] {
      int calls = 0;  // each has an instant before and one after it
      const auto crash = [&](const std::string&) -> absl::Status {
        if (calls++ == step) ::_exit(kCrashed);
        return absl::OkStatus();
      };
      disk_.before = crash;
      disk_.after = crash;
      source_.spoil[b_] = 1;
      return ChangeEverything(*Make(130), a_, b_, c_, EntryPath(a_));
    });
    const int code = child.Wait();
    if (code != kCrashed) {
      EXPECT_EQ(code, 0);
      break;
    }
    ++crashes;

    const auto cache = Make(130);

    for (const std::string& name : Files()) {
      EXPECT_FALSE(name.ends_with(".partial")) << "step " << step;
    }
    for (const char letter : {'a', 'b', 'c'}) {
      const std::string bytes(40, letter);
      EXPECT_EQ(Use(*cache, Sha256Hex(bytes)), bytes) << "step " << step;
    }
    cache->Held(1);
    EXPECT_LE(events_.bytes, 130) << "step " << step;
  }
  // Writes, flushes, renames, removals and flushes of the folder.
  EXPECT_GT(crashes, 40);
}

}  // namespace
}  // namespace tessera::lora
