#include "client/child_process.h"

#include <csignal>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

class ChildProcessTest : public ::testing::Test {
 protected:
  ChildProcess Shell(const std::string& script) {
    return *ChildProcess::Start("/bin/sh", {"-c", script}, folder_.File("log"));
  }

  ScratchFolder folder_;
};

TEST_F(ChildProcessTest, TellsTheExitCode) {
  ChildProcess child = Shell("exit 7");

  const auto ended = child.Wait(RealClock(), kLong);

  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->code, 7);
  EXPECT_EQ(ended->ToString(), "exit code 7");
  EXPECT_FALSE(ended->ok());
}

TEST_F(ChildProcessTest, TellsTheSignal) {
  ChildProcess child = Shell("kill -9 $$");

  const auto ended = child.Wait(RealClock(), kLong);

  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->signal, SIGKILL);
  EXPECT_THAT(ended->ToString(), HasSubstr("signal 9"));
}

TEST_F(ChildProcessTest, OutputIsAppendedToTheLog) {
  Shell("echo one; echo two >&2").Wait(RealClock(), kLong);
  Shell("echo three").Wait(RealClock(), kLong);

  EXPECT_EQ(folder_.Read("log"), "one\ntwo\nthree\n");
}

TEST_F(ChildProcessTest, HasItsOwnProcessGroupAndNoInput) {
  ChildProcess child = Shell("cat; sleep 100");

  EXPECT_FALSE(child.Wait(RealClock(), absl::Milliseconds(50)).has_value());
  EXPECT_NE(getpgid(child.pid()), getpgid(0));
  EXPECT_EQ(child.Stop(RealClock(), kLong).signal, SIGTERM);
}

TEST_F(ChildProcessTest, BlockedSignalsOfTheParentAreNotInherited) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);

  ChildProcess child = Shell("sleep 100");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);

  EXPECT_EQ(child.Stop(RealClock(), kLong).signal, SIGTERM);
}

TEST_F(ChildProcessTest, StopKillsWhatIgnoresTerm) {
  ChildProcess child =
      Shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  while (folder_.Read("log").empty()) {
    ASSERT_FALSE(child.Wait(RealClock(), absl::Milliseconds(10)).has_value());
  }

  EXPECT_EQ(child.Stop(RealClock(), absl::Milliseconds(100)).signal, SIGKILL);
}

TEST_F(ChildProcessTest, DestructorKillsAndReaps) {
  pid_t pid = 0;
  {
    ChildProcess child = Shell("sleep 100");
    pid = child.pid();
    ChildProcess moved = std::move(child);
    EXPECT_EQ(kill(pid, 0), 0);
  }

  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(ChildProcessTest, ProgramThatIsMissingEndsAtOnce) {
  auto child = ChildProcess::Start("/no/program", {}, folder_.File("log"));

  ASSERT_TRUE(child.ok());
  EXPECT_EQ(child->Wait(RealClock(), kLong)->code, 127);
}

TEST_F(ChildProcessTest, LogThatCannotBeOpenedIsNamed) {
  const auto child = ChildProcess::Start("/bin/true", {}, "/no/folder/log");

  EXPECT_THAT(std::string(child.status().message()),
              HasSubstr("/no/folder/log"));
}

TEST(FindSiblingTest, LooksInThePathToo) {
  EXPECT_TRUE(FindSibling("sh").ok());
  EXPECT_FALSE(FindSibling("no-such-program-anywhere").ok());
}

TEST(ReadTailTest, GivesTheLastLines) {
  const ScratchFolder folder;
  const std::string path = folder.Write("log", "a\nb\nc\n");

  EXPECT_EQ(ReadTail(path, 1), "c");
  EXPECT_EQ(ReadTail(path, 2), "b\nc");
  EXPECT_EQ(ReadTail(path, 99), "a\nb\nc");
  EXPECT_EQ(ReadTail(folder.Write("empty", ""), 3), "");
  EXPECT_EQ(ReadTail("/no/file", 3), "");
}

}  // namespace
}  // namespace tessera::client
