// What a coordinator process is started with.
#ifndef TESSERA_COORDINATOR_OPTIONS_H_
#define TESSERA_COORDINATOR_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/log.h"
#include "common/settings.h"

namespace tessera::coordinator {

struct Options {
  std::string listen = "0.0.0.0:7070";  // host:port; port 0 picks one
  std::string store;  // sqlite:FILE, or memory:; empty: in `data`
  std::string data = "tessera-data";  // folder, made when missing
  std::string blobs;           // folder or s3://bucket/prefix; empty: in `data`
  std::string metrics_listen;  // host:port; empty: no metrics
  absl::Duration lease_duration = absl::Seconds(10);
  LogFormat log_format = LogFormat::kText;
};

// Reads options from the environment and from `arguments`, as ReadSettings
// does. Errors: INVALID_ARGUMENT naming the flag or variable.
absl::StatusOr<Options> ParseOptions(const Environment& environment,
                                     const std::vector<std::string>& arguments);

// Returns the text of --help.
std::string HelpText();

// Returns the file of a store "sqlite:FILE"; empty for "memory:". Without a
// store it is tessera.db in the data folder. Errors: INVALID_ARGUMENT.
absl::StatusOr<std::string> StoreFile(const Options& options);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_OPTIONS_H_
