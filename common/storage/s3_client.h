// The calls of S3 that Tessera makes, repeated while a failure may pass.
#ifndef TESSERA_COMMON_STORAGE_S3_CLIENT_H_
#define TESSERA_COMMON_STORAGE_S3_CLIENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/storage/http.h"
#include "common/storage/s3_credentials.h"
#include "common/storage/s3_url.h"

namespace tessera::storage {

struct S3Options {
  S3Server server;
  // How long a call is repeated while it meets failures that may pass.
  absl::Duration patience = absl::Seconds(20);
  uint32_t jitter_seed = 0;  // another one in each process
};

// An object's name.
struct S3Key {
  std::string bucket;
  std::string key;
};

// What is known of an object without its bytes.
struct S3Object {
  std::string key;
  int64_t size = 0;    // bytes
  std::string etag;    // without its quotes
  std::string sha256;  // that its writer gave; empty in lists
};

// A part of a list; `next` is empty on the last one.
struct S3Page {
  std::vector<S3Object> objects;  // by key
  std::string next;
};

// An upload in parts that was begun and neither completed nor aborted.
struct S3UploadInfo {
  std::string key;
  std::string id;
};

// Returns how long to wait before try `attempt` (from 2): a random part of
// 100 ms that double up to 5 s, so that workers that were throttled together do
// not return together. `jitter` is from [0, 1).
absl::Duration S3RetryDelay(int attempt, double jitter);

// Calls a server. Every error names bucket, key and S3's own code, as StatusOf
// has it; UNAVAILABLE comes once the patience is used up. Thread-safe.
class S3Client {
 public:
  // All must outlive the client.
  S3Client(S3Options options, S3CredentialSource& credentials, Http& http,
           Clock& clock);

  // Stores an object whole, over what is there; `sha256` is of `bytes` and is
  // kept with it. One that was stored although the answer was lost is known by
  // that digest and not sent again.
  absl::Status Put(const S3Key& key, std::string_view bytes,
                   const std::string& sha256);

  // Errors: NOT_FOUND for a missing key and, as S3 does not say which, for a
  // missing bucket.
  absl::StatusOr<S3Object> Head(const S3Key& key);

  // Returns up to `limit` bytes, at least 1, from `offset` on; empty past the
  // end.
  absl::StatusOr<std::string> Get(const S3Key& key, int64_t offset,
                                  int64_t limit);

  // Returns objects whose keys begin with `prefix`, at most 1000; `next` is
  // from the page before, else empty.
  absl::StatusOr<S3Page> List(const std::string& bucket,
                              const std::string& prefix,
                              const std::string& next);

  // Removes an object; one that is missing is fine.
  absl::Status Delete(const S3Key& key);

  // Begins an upload in parts and returns its id.
  absl::StatusOr<std::string> BeginUpload(const S3Key& key);

  // Stores part `number` (from 1; 5 MiB or more, but for the last) and returns
  // its ETag. The same part again replaces it.
  absl::StatusOr<std::string> PutPart(const S3Key& key, const std::string& id,
                                      int number, std::string_view bytes);

  // Makes the parts an object. One that was made although the answer was lost
  // is known by the ETag that S3 derives from those of the parts.
  absl::Status CompleteUpload(const S3Key& key, const std::string& id,
                              const std::vector<std::string>& etags);

  // Forgets an upload with its parts; one that is unknown is fine.
  absl::Status AbortUpload(const S3Key& key, const std::string& id);

  // Returns up to 1000 uploads that are under way below `prefix`.
  absl::StatusOr<std::vector<S3UploadInfo>> ListUploads(
      const std::string& bucket, const std::string& prefix);

 private:
  // One call. `what` says in an error what could not be done; `is_done` finds
  // out whether a call whose answer was lost took effect, null: repeat it.
  struct Call {
    std::string method;
    S3Key key;
    std::string what;
    std::map<std::string, std::string> parameters = {};
    std::vector<std::string> headers = {};
    std::string_view body = {};
    std::string body_sha256 = {};  // empty: found from the body
    std::function<bool()> is_done = nullptr;
  };

  absl::StatusOr<HttpAnswer> Run(const Call& call);
  absl::StatusOr<HttpAnswer> RunOnce(const Call& call);
  double Jitter();

  const S3Options options_;
  S3CredentialSource& credentials_;
  Http& http_;
  Clock& clock_;
  absl::Mutex mu_;
  std::minstd_rand random_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_S3_CLIENT_H_
