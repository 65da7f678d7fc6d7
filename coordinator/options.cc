#include "coordinator/options.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/storage/s3_url.h"

namespace tessera::coordinator {
namespace {

// Heads the text of --help; the flags follow in the order of kFlags.
constexpr char kUsage[] =
    "tessera-coordinator [--listen HOST:PORT] [--store sqlite:FILE] [flags]\n"
    "Takes jobs, leases their shards to workers and seals the manifests.\n"
    "SIGTERM stops it; running workers carry on with the next one.\n";

// Returns the error that all flags share; the caller puts the flag or variable
// before it.
absl::Status Expected(std::string_view what, const std::string& value) {
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", std::string(what), ", got \"", value, "\""));
}

// Takes "host:port" as gRPC will; whether it can be listened on shows when it
// is tried.
absl::Status SetAddress(const std::string& value, std::string& target) {
  // Catches a bare port or host; the rest is for gRPC to judge.
  if (value.find(':') == value.npos) return Expected("host:port", value);
  target = value;
  return absl::OkStatus();
}

// Bounds a lease: below a second a busy network loses leases for nothing, above
// an hour a dead worker would hold its shard for too long.
absl::Status SetLease(const std::string& value, Options& options) {
  absl::Duration duration;
  if (!absl::ParseDuration(value, &duration) || duration < absl::Seconds(1) ||
      duration > absl::Hours(1)) {
    return Expected("a duration from 1s to 1h, such as 10s", value);
  }
  options.lease_duration = duration;
  return absl::OkStatus();
}

// Chooses between lines for a person and JSON for a collector.
absl::Status SetLogFormat(const std::string& value, Options& options) {
  if (value != "text" && value != "json")
    return Expected("text or json", value);
  options.log_format = value == "json" ? LogFormat::kJson : LogFormat::kText;
  return absl::OkStatus();
}

// A flag without its leading dashes, its meaning, and how it is read.
struct FlagSpec {
  std::string_view name;
  std::string_view help;
  absl::Status (*set)(const std::string& value, Options& options);
};

// The only list of flags: parsing, --help and the environment follow it.
constexpr FlagSpec kFlags[] = {
    {"listen",
     "Address for clients and workers, host:port. Default: "
     "0.0.0.0:7070; port 0 picks one.",
     [](const std::string& value, Options& options) {
       return SetAddress(value, options.listen);
     }},
    {"store",
     "Where jobs survive: sqlite:FILE. Default: tessera.db in the "
     "data folder. memory: forgets them.",
     [](const std::string& value, Options& options) {
       options.store = value;
       // Checked at once, so that the error names the flag.
       return StoreFile(options).status();
     }},
    {"data",
     "Folder of the coordinator, made when missing. Default: "
     "tessera-data.",
     [](const std::string& value, Options& options) {
       if (value.empty()) return Expected("a folder", value);
       options.data = value;
       return absl::OkStatus();
     }},
    {"blobs",
     "Where the files of LoRAs are kept: a folder, or s3://BUCKET/PREFIX. "
     "Default: blobs in the data folder.",
     [](const std::string& value, Options& options) {
       options.blobs = value;
       // A wrong name of a bucket is told at once, with the flag.
       return storage::IsS3Uri(value) ? storage::ParseS3Uri(value).status()
                                      : absl::OkStatus();
     }},
    {"metrics-listen",
     "Address of /metrics and /healthz, host:port. Default: "
     "none.",
     [](const std::string& value, Options& options) {
       // Empty is allowed here and means none, so that a variable can switch it
       // off.
       return value.empty() ? absl::OkStatus()
                            : SetAddress(value, options.metrics_listen);
     }},
    {"lease-duration",
     "A worker that does not synchronize for this long loses "
     "its lease. Default: 10s.",
     SetLease},
    {"log-format", "text or json. Default: text.", SetLogFormat},
};

}  // namespace

absl::StatusOr<Options> ParseOptions(
    const Environment& environment, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const FlagSpec& flag : kFlags) names.emplace_back(flag.name);
  ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                   ReadSettings(names, environment, arguments));
  Options options;
  for (const Setting& setting : settings) {
    // Found: only flags of the list are returned.
    const FlagSpec& flag = *std::find_if(
        std::begin(kFlags), std::end(kFlags),
        [&](const FlagSpec& known) { return known.name == setting.name; });
    const absl::Status status = flag.set(setting.value, options);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(setting.source, ": ", status.message()));
    }
  }
  return options;
}

std::string HelpText() {
  std::string text = kUsage;
  for (const FlagSpec& flag : kFlags) {
    absl::StrAppend(&text, "\n  --", std::string(flag.name), "\n      ",
                    std::string(flag.help),
                    "\n      Variable: ", VariableName(flag.name), ".\n");
  }
  return text;
}

absl::StatusOr<std::string> StoreFile(const Options& options) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (options.store.empty()) return absl::StrCat(options.data, "/tessera.db");
  // An empty name is what the caller takes for "keep nothing".
  if (options.store == "memory:") return std::string();
  const std::string_view store = options.store;
  if (!store.starts_with(kSqlite) || store == kSqlite) {
    return Expected("sqlite:FILE", options.store);
  }
  return std::string(store.substr(kSqlite.size()));
}

}  // namespace tessera::coordinator
