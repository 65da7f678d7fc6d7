// Names of buckets and keys, and the URLs that reach them. Pure.
#ifndef TESSERA_COMMON_STORAGE_S3_URL_H_
#define TESSERA_COMMON_STORAGE_S3_URL_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tessera::storage {

// A place in a bucket.
struct S3Location {
  std::string bucket;
  std::string prefix;  // of keys; without slashes at its ends, may be empty
};

// Says whether `uri` begins with "s3://".
bool IsS3Uri(std::string_view uri);

// Returns the place that "s3://BUCKET/PREFIX" names. Errors: INVALID_ARGUMENT
// when the bucket's name breaks S3's rules (3 to 63 of a-z, 0-9, '.' and '-',
// a letter or digit at its ends), or the prefix is not in normal form: empty
// parts, "." and ".." are refused, as are control characters.
absl::StatusOr<S3Location> ParseS3Uri(std::string_view uri);

// Returns "s3://BUCKET/PREFIX", or "s3://BUCKET".
std::string ToUri(const S3Location& location);

// Returns the key of `path` below `location`.
std::string KeyOf(const S3Location& location, std::string_view path);

// Encodes every byte but A-Z, a-z, 0-9, '-', '.', '_', '~' and, when asked,
// '/', as %XX: the form that signatures are made from.
std::string PercentEncode(std::string_view text, bool keep_slashes);

// How a server is reached.
struct S3Server {
  std::string endpoint;     // "https://host:port"; empty: AWS
  std::string region;       // of the signature
  bool path_style = false;  // the bucket in the path, not in the host's name
};

// Returns the URL of a key with query parameters, sorted and encoded; an empty
// key names the bucket.
std::string MakeUrl(const S3Server& server, const std::string& bucket,
                    std::string_view key,
                    const std::map<std::string, std::string>& parameters);

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_S3_URL_H_
