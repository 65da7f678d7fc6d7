// How the client reaches folders and buckets.
#ifndef TESSERA_CLIENT_OUTPUTS_H_
#define TESSERA_CLIENT_OUTPUTS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/storage/output_places.h"

namespace tessera::client {

// Opens folders, and buckets as the user's environment says. Thread-safe.
class Outputs {
 public:
  // `clock` must outlive it.
  explicit Outputs(Clock& clock);

  // Opens the store that `uri` names; this must outlive it. Errors:
  // INVALID_ARGUMENT.
  absl::StatusOr<std::unique_ptr<storage::OutputStore>> Open(
      const std::string& uri);

 private:
  storage::S3Access s3_;
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_OUTPUTS_H_
