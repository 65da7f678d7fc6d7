#include "client/local_service.h"

#include <sys/socket.h>

#include <csignal>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::HasSubstr;

// Shell scripts stand for the programs: they log their arguments.
class LocalServiceTest : public ::testing::Test {
 protected:
  LocalService Make(const std::string& coordinator, const std::string& worker) {
    LocalServiceOptions options;
    options.coordinator_program = folder_.Script("coordinator", coordinator);
    options.worker_program = folder_.Script("worker", worker);
    options.folder = folder_.path();
    options.models = "/models";
    options.workers = 2;
    options.threads = 3;
    return LocalService(options, RealClock());
  }
  // Supervises until `status` is an error or `tries` are used up.
  absl::Status SuperviseUntilError(LocalService& service, int tries) {
    absl::Mutex mu;
    bool never = false;
    for (int i = 0; i < tries; ++i) {
      const absl::Status status = service.Supervise(
          [this](const std::string& line) { notes_ += line + "\n"; });
      if (!status.ok()) return status;
      absl::MutexLock lock(&mu);
      RealClock().AwaitWithTimeout(mu, absl::Condition(&never),
                                   absl::Milliseconds(10));
    }
    return absl::OkStatus();
  }

  ScratchFolder folder_;
  std::string notes_;
};

TEST(FindFreePortTest, GivesAPortInRange) {
  const auto port = FindFreePort();

  ASSERT_TRUE(port.ok()) << port.status();
  EXPECT_GT(*port, 0);
  EXPECT_LE(*port, 65535);
}

TEST_F(LocalServiceTest, ProgramsGetTheirFlags) {
  LocalService service =
      Make("echo \"$@\"; exec sleep 100", "echo \"$@\"; exec sleep 100");
  ASSERT_TRUE(service
                  .StartCoordinator([this] {
                    return !folder_.Read("coordinator.log").empty();
                  })
                  .ok());
  ASSERT_TRUE(service.StartWorkers().ok());
  while (folder_.Read("worker-1.log").empty()) {
    ASSERT_TRUE(SuperviseUntilError(service, 1).ok());
  }

  EXPECT_THAT(folder_.Read("coordinator.log"),
              HasSubstr("--listen " + service.address()));
  EXPECT_THAT(folder_.Read("coordinator.log"), HasSubstr("--store sqlite:"));
  EXPECT_THAT(folder_.Read("worker-1.log"),
              HasSubstr("--coordinator " + service.address() +
                        " --models /models --device cpu --threads 3"));
  service.Stop(absl::Seconds(10));
}

TEST_F(LocalServiceTest, CoordinatorThatDoesNotStartShowsItsLog) {
  LocalService service = Make("echo disk full; exit 1", "");

  const absl::Status status = service.StartCoordinator([] { return false; });

  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("disk full"));
}

TEST_F(LocalServiceTest, WorkerThatDiesOnceIsStartedAgain) {
  LocalService service =
      Make("exec sleep 100",
           "[ -e \"$0.once\" ] || { touch \"$0.once\"; exit 5; }\n"
           "exec sleep 100");
  ASSERT_TRUE(service.StartCoordinator([] { return true; }).ok());
  ASSERT_TRUE(service.StartWorkers().ok());

  for (int i = 0; i < 500 && notes_.empty(); ++i) {
    ASSERT_TRUE(SuperviseUntilError(service, 1).ok());
  }

  EXPECT_THAT(notes_, HasSubstr("ended with exit code 5, starting it again"));
  EXPECT_TRUE(SuperviseUntilError(service, 5).ok());
  service.Stop(absl::Seconds(10));
}

TEST_F(LocalServiceTest, WorkersThatKeepDyingAreGivenUp) {
  LocalService service = Make("exec sleep 100", "echo out of memory; exit 1");
  ASSERT_TRUE(service.StartCoordinator([] { return true; }).ok());
  ASSERT_TRUE(service.StartWorkers().ok());

  const absl::Status status = SuperviseUntilError(service, 1000);

  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("out of memory"));
  EXPECT_THAT(notes_, HasSubstr("3 of 3"));
}

TEST_F(LocalServiceTest, StopEndsEveryProcess) {
  LocalService service =
      Make("echo $$; exec sleep 100", "echo $$; exec sleep 100");
  ASSERT_TRUE(service
                  .StartCoordinator([this] {
                    return !folder_.Read("coordinator.log").empty();
                  })
                  .ok());
  ASSERT_TRUE(service.StartWorkers().ok());
  while (folder_.Read("worker-0.log").empty() ||
         folder_.Read("worker-1.log").empty()) {
    ASSERT_TRUE(SuperviseUntilError(service, 1).ok());
  }

  service.Stop(absl::Seconds(10));

  for (const char* log : {"coordinator.log", "worker-0.log", "worker-1.log"}) {
    EXPECT_EQ(kill(std::stoi(folder_.Read(log)), 0), -1) << log;
  }
}

}  // namespace
}  // namespace tessera::client
