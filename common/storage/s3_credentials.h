// Where the right to use a bucket comes from.
#ifndef TESSERA_COMMON_STORAGE_S3_CREDENTIALS_H_
#define TESSERA_COMMON_STORAGE_S3_CREDENTIALS_H_

#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/settings.h"
#include "common/storage/http.h"

namespace tessera::storage {

// A key and its secret. Has no text form, so that no log can hold it.
struct S3Credentials {
  std::string access_key;  // empty: requests are not signed
  std::string secret_key;
  std::string token;  // of credentials that expire; else empty
  absl::Time expiry = absl::InfiniteFuture();
};

// Returns the profile `profile` of a file as ~/.aws/credentials. Errors:
// NOT_FOUND when it has none, INVALID_ARGUMENT when a part of it is missing.
absl::StatusOr<S3Credentials> ParseCredentials(std::string_view file,
                                               const std::string& profile);

// Finds credentials as the AWS command line does, in this order:
//
//   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   2. AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: a pod's token is
//      exchanged at the service STS (AWS_ENDPOINT_URL_STS)
//   3. the profile AWS_PROFILE of AWS_SHARED_CREDENTIALS_FILE, which is else
//      ~/.aws/credentials
//
// Those that expire are fetched anew five minutes before. Thread-safe.
class S3CredentialSource {
 public:
  // All must outlive the source. `region` names STS where it has no endpoint.
  S3CredentialSource(Environment environment, std::string region, Http& http,
                     Clock& clock);

  // Returns credentials that are valid now. Errors: FAILED_PRECONDITION when
  // there are none, naming where they were looked for; those of STS.
  absl::StatusOr<S3Credentials> Get();

  // Forgets those found, as the server says that they have expired.
  void Forget();

 private:
  absl::StatusOr<S3Credentials> Find();
  absl::StatusOr<S3Credentials> AssumeRole(const std::string& token_file);
  absl::StatusOr<S3Credentials> ReadShared();
  std::string Variable(const std::string& name) const;

  const Environment environment_;
  const std::string region_;
  Http& http_;
  Clock& clock_;
  // Also held while they are fetched: one call a process is enough.
  absl::Mutex mu_;
  S3Credentials held_ ABSL_GUARDED_BY(mu_);
  bool holds_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_S3_CREDENTIALS_H_
