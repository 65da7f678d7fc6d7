#include "common/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "CivetServer.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "prometheus/text_serializer.h"

namespace tessera::metrics {
namespace {

// Writes a whole answer. Always true: civetweb takes it for "handled".
bool Answer(mg_connection* connection, int code, const char* reason,
            const std::string& content_type, const std::string& body) {
  const std::string head = absl::StrCat(
      // Closed after each answer: a scraper comes every few seconds, and an
      // idle connection would occupy one of the two threads.
      "HTTP/1.1 ", code, " ", reason, "\r\nContent-Type: ", content_type,
      "\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n\r\n");
  mg_write(connection, head.data(), head.size());
  mg_write(connection, body.data(), body.size());
  return true;
}

// Serves the text form of all metrics; called from civetweb's threads.
class MetricsHandler final : public CivetHandler {
 public:
  explicit MetricsHandler(std::shared_ptr<prometheus::Registry> registry)
      // Shares the registry, which may not go while an answer is written.
      : registry_(std::move(registry)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    const std::string body =
        // Values are atomic, so they are collected while others count.
        prometheus::TextSerializer().Serialize(registry_->Collect());
    return Answer(connection, 200, "OK", "text/plain; version=0.0.4", body);
  }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
};

// Tells a supervisor whether the process does its work: 200, or 503 while it
// does not.
class HealthHandler final : public CivetHandler {
 public:
  explicit HealthHandler(std::function<bool()> healthy)
      : healthy_(std::move(healthy)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    return healthy_() ? Answer(connection, 200, "OK", "text/plain", "ok\n")
                      : Answer(connection, 503, "Service Unavailable",
                               "text/plain", "not ready\n");
  }

 private:
  const std::function<bool()> healthy_;
};

// Returns what to connect to in order to reach a server on `host`, which is
// numeric. A server on all addresses is reached over the loopback.
sockaddr_storage KnockAddress(const std::string& host, int port) {
  sockaddr_storage storage{};
  if (host.starts_with('[')) {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<uint16_t>(port));
    ::inet_pton(AF_INET6, host.substr(1, host.find(']') - 1).c_str(),
                &address.sin6_addr);
    if (IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr)) {
      address.sin6_addr = in6addr_loopback;
    }
    return storage;
  }
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  if (address.sin_addr.s_addr == htonl(INADDR_ANY)) {
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  return storage;
}

// Opens and closes one connection to `address`; waits up to 10 ms for an
// answer, which a stopping server never gives.
void Knock(const sockaddr_storage& address) {
  const int socket = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address),
                sizeof address) == 0) {
    pollfd wait{socket, POLLIN, 0};
    ::poll(&wait, 1, 10);
  }
  ::close(socket);
}

}  // namespace

Registry::Registry() : registry_(std::make_shared<prometheus::Registry>()) {}

prometheus::Family<prometheus::Counter>& Registry::Counter(
    const std::string& name, const std::string& help) {
  // Registering the same name twice gives the same family.
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
}

prometheus::Family<prometheus::Gauge>& Registry::Gauge(
    const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
}

prometheus::Family<prometheus::Histogram>& Registry::Histogram(
    const std::string& name, const std::string& help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(
      *registry_);
}

const std::vector<double>& CallSeconds() {
  // Finest around milliseconds, where a healthy store answers.
  static const auto* const bounds = new std::vector<double>{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
      0.25,   0.5,   1,      2.5,   5,    10,    30};
  return *bounds;
}

const std::vector<double>& WorkSeconds() {
  // From a small picture on a fast device to a large one on a few cores.
  static const auto* const bounds =
      new std::vector<double>{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                              2.5,   5,    10,    30,   60,  120,  300, 600};
  return *bounds;
}

// Owns the HTTP server and its handlers; two threads suffice for a scraper and
// a probe.
class Exposition::Server {
 public:
  Server(const std::string& host, int port, const Registry& registry,
         std::function<bool()> healthy)
      : host_(host),
        metrics_(registry.prometheus()),
        health_(std::move(healthy)),
        // Members above are there before the first request can come.
        server_(std::vector<std::string>{"listening_ports",
                                         absl::StrCat(host, ":", port),
                                         "num_threads", "2"}) {
    server_.addHandler("/metrics", metrics_);
    server_.addHandler("/healthz", health_);
  }

  // Asked of the server, as port 0 lets the system choose.
  int port() { return server_.getListeningPorts().at(0); }

  // Returns where a connection reaches the server.
  sockaddr_storage address() { return KnockAddress(host_, port()); }

 private:
  const std::string host_;
  MetricsHandler metrics_;
  HealthHandler health_;
  CivetServer server_;
};

absl::StatusOr<std::unique_ptr<Exposition>> Exposition::Start(
    const std::string& address, const Registry& registry,
    std::function<bool()> healthy) {
  // The last colon: addresses of IPv6 hold others.
  const size_t colon = address.rfind(':');
  int port = -1;
  if (colon == std::string::npos ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "metrics address: expected host:port, got \"", address, "\""));
  }
  // civetweb wants numbers; an empty host means all addresses.
  std::string host = address.substr(0, colon);
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  // Civetweb's constructor throws; this is where it is turned into a status.
  try {
    return std::unique_ptr<Exposition>(new Exposition(
        std::make_unique<Server>(host, port, registry, std::move(healthy))));
  } catch (const CivetException& error) {
    return absl::UnavailableError(absl::StrCat("cannot listen for metrics on ",
                                               host, ":", port,
                                               ": port in use or address "
                                               "not of this machine (",
                                               error.what(), ")"));
  }
}

Exposition::Exposition(std::unique_ptr<Server> server)
    : server_(std::move(server)) {}

Exposition::~Exposition() {
  // The server looks at its stop flag only every 2 s unless a connection
  // arrives, so knock until it has stopped.
  const sockaddr_storage address = server_->address();
  std::atomic<bool> stopped{false};
  std::thread knocker([&] {
    while (!stopped) Knock(address);
  });
  server_.reset();
  stopped = true;
  knocker.join();
}

int Exposition::port() const { return server_->port(); }

}  // namespace tessera::metrics
