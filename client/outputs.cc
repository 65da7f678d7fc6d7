#include "client/outputs.h"

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <random>

#include "absl/strings/str_cat.h"

namespace tessera::client {
namespace {

// Reads one variable of the environment.
std::optional<std::string> ReadEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace

Outputs::Outputs(Clock& clock)
    : s3_(ReadEnvironment, std::random_device()(), clock) {}

absl::StatusOr<std::unique_ptr<storage::OutputStore>> Outputs::Open(
    const std::string& uri) {
  // Two clients that bring one job's pictures do not share temporary files.
  return storage::OutputPlaces(&s3_).Open(uri,
                                          absl::StrCat("client-", getpid()));
}

}  // namespace tessera::client
