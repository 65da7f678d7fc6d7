#include "common/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::metrics {
namespace {

using ::testing::HasSubstr;

// Returns the whole answer to a GET of `path` on `port` of `host`.
std::string GetFrom(const char* host, int port, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  ::inet_pton(AF_INET, host, &address.sin_addr);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address),
                sizeof address) == 0) {
    const std::string request =
        absl::StrCat("GET ", path, " HTTP/1.0\r\nHost: localhost\r\n\r\n");
    if (::write(socket, request.data(), request.size()) > 0) {
      char buffer[4096];
      ssize_t n = 0;
      while ((n = ::read(socket, buffer, sizeof buffer)) > 0) {
        answer.append(buffer, static_cast<size_t>(n));
      }
    }
  }
  ::close(socket);
  return answer;
}

// As GetFrom, on the loopback.
std::string Get(int port, const std::string& path) {
  return GetFrom("127.0.0.1", port, path);
}

TEST(MetricsTest, PageShowsNameHelpAndValue) {
  Registry registry;
  registry.Counter("tessera_test_images_total", "Pictures made.")
      .Add({{"result", "done"}})
      .Increment(3);
  auto exposition =
      Exposition::Start("127.0.0.1:0", registry, [] { return true; });
  ASSERT_TRUE(exposition.ok()) << exposition.status();

  const std::string page = Get((*exposition)->port(), "/metrics");

  EXPECT_THAT(page, HasSubstr("# HELP tessera_test_images_total Pictures"));
  EXPECT_THAT(page, HasSubstr("tessera_test_images_total{result=\"done\"} 3"));
}

TEST(MetricsTest, HealthFollowsTheProcess) {
  Registry registry;
  std::atomic<bool> healthy{true};
  auto exposition = Exposition::Start("127.0.0.1:0", registry,
                                      [&] { return healthy.load(); });
  ASSERT_TRUE(exposition.ok()) << exposition.status();

  EXPECT_THAT(Get((*exposition)->port(), "/healthz"), HasSubstr("200 OK"));
  healthy = false;
  EXPECT_THAT(Get((*exposition)->port(), "/healthz"), HasSubstr("503"));
}

TEST(MetricsTest, PortInUseIsUnavailable) {
  Registry registry;
  auto first = Exposition::Start("127.0.0.1:0", registry, [] { return true; });
  ASSERT_TRUE(first.ok());

  auto second = Exposition::Start(absl::StrCat("127.0.0.1:", (*first)->port()),
                                  registry, [] { return true; });

  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

// A server that nobody connects to looks at its stop flag every 2 s only.
TEST(MetricsTest, StopsAtOnceWhateverAddressItHas) {
  Registry registry;
  for (const char* host : {"127.0.0.2", "0.0.0.0", "127.0.0.1"}) {
    auto exposition = Exposition::Start(absl::StrCat(host, ":0"), registry,
                                        [] { return true; });
    ASSERT_TRUE(exposition.ok()) << exposition.status();
    // Once it has answered it waits for the next connection.
    ASSERT_THAT(GetFrom(host, (*exposition)->port(), "/healthz"),
                HasSubstr("200 OK"));
    const absl::Time start = RealClock().Now();

    exposition->reset();

    EXPECT_LT(RealClock().Now() - start, absl::Seconds(1)) << host;
  }
}

TEST(MetricsTest, BadAddressesAreRefused) {
  Registry registry;
  for (const char* address : {"", "nowhere", "127.0.0.1:x", ":70000"}) {
    EXPECT_EQ(Exposition::Start(address, registry, [] { return true; })
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
}

}  // namespace
}  // namespace tessera::metrics
