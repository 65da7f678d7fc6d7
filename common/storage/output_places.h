// From the URI of an output to the store behind it.
#ifndef TESSERA_COMMON_STORAGE_OUTPUT_PLACES_H_
#define TESSERA_COMMON_STORAGE_OUTPUT_PLACES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/settings.h"
#include "common/storage/output_store.h"
#include "common/storage/s3_client.h"

namespace tessera::storage {

// Returns the normal form of the place that `uri` names, so that equal places
// compare equal: an absolute folder, or "s3://BUCKET/PREFIX". Errors:
// INVALID_ARGUMENT unless it is one of these or file:///folder, other than the
// root.
absl::StatusOr<std::string> NormalOutput(const std::string& uri);

// Returns how the environment says that S3 is reached: AWS_ENDPOINT_URL_S3 or
// AWS_ENDPOINT_URL, AWS_REGION or AWS_DEFAULT_REGION (us-east-1), and
// TESSERA_S3_ADDRESSING, "path" or "virtual" (path where there is an endpoint).
S3Server ServerFromEnvironment(const Environment& environment);

// One client of S3 for all of a process, with what it needs. Thread-safe.
class S3Access {
 public:
  // `clock` must outlive it. `jitter_seed` is another one in each process.
  S3Access(const Environment& environment, uint32_t jitter_seed, Clock& clock);

  S3Client& client() { return client_; }

 private:
  CurlHttp http_;
  S3CredentialSource credentials_;
  S3Client client_;
};

// Opens outputs. Thread-safe.
class OutputPlaces {
 public:
  // `s3` must outlive the places and what they open; null: folders alone.
  explicit OutputPlaces(S3Access* s3);

  // Opens the store that `uri` names; touches nothing yet. `writer` is a file
  // name that no other running process uses. Errors: INVALID_ARGUMENT.
  absl::StatusOr<std::unique_ptr<OutputStore>> Open(
      const std::string& uri, const std::string& writer) const;

 private:
  S3Access* s3_;  // not const: places are assigned with options
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_OUTPUT_PLACES_H_
