// Prometheus metrics and the small HTTP server that shows them.
#ifndef TESSERA_COMMON_METRICS_H_
#define TESSERA_COMMON_METRICS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace tessera::metrics {

using Labels = std::map<std::string, std::string>;

// The metrics of one process. Each module declares its own once, in its
// metrics.h, with a name that starts with `tessera_` and ends with its unit,
// and a help sentence. Thread-safe.
class Registry {
 public:
  Registry();

  prometheus::Family<prometheus::Counter>& Counter(const std::string& name,
                                                   const std::string& help);
  prometheus::Family<prometheus::Gauge>& Gauge(const std::string& name,
                                               const std::string& help);
  prometheus::Family<prometheus::Histogram>& Histogram(const std::string& name,
                                                       const std::string& help);

  const std::shared_ptr<prometheus::Registry>& prometheus() const {
    return registry_;
  }

 private:
  std::shared_ptr<prometheus::Registry> registry_;
};

// Bucket bounds in seconds for remote calls (0.5 ms to 30 s) and for the work
// on a picture (5 ms to 10 min).
const std::vector<double>& CallSeconds();
const std::vector<double>& WorkSeconds();

// Serves `/metrics` and `/healthz` until destroyed.
class Exposition {
 public:
  // Listens on `address` ("host:port"; port 0 picks one). `healthy` decides
  // whether /healthz answers 200 or 503; it is called from the server's
  // threads. Errors: INVALID_ARGUMENT for a bad address, UNAVAILABLE when the
  // port is taken.
  static absl::StatusOr<std::unique_ptr<Exposition>> Start(
      const std::string& address, const Registry& registry,
      std::function<bool()> healthy);
  ~Exposition();

  // Returns the port that is listened on.
  int port() const;

 private:
  class Server;
  explicit Exposition(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace tessera::metrics

#endif  // TESSERA_COMMON_METRICS_H_
