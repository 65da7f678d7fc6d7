#include "common/storage/s3_url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tessera::storage {
namespace {

constexpr std::string_view kScheme = "s3://";
// S3 allows 1024 bytes for a key; the rest is for what we put below.
constexpr size_t kLongestPrefix = 512;

// Says whether S3 would take this as a bucket's name.
bool IsBucket(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  const auto allowed = [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' ||
           c == '-';
  };
  return std::all_of(name.begin(), name.end(), allowed) &&
         absl::ascii_isalnum(static_cast<unsigned char>(name.front())) &&
         absl::ascii_isalnum(static_cast<unsigned char>(name.back()));
}

// Says whether a part of a prefix could also be a folder's name: HTTP clients
// and proxies resolve dots, so that the signature would be another path's.
bool IsPart(std::string_view part) {
  return !part.empty() && part != "." && part != ".." &&
         std::none_of(part.begin(), part.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

bool IsS3Uri(std::string_view uri) { return uri.starts_with(kScheme); }

absl::StatusOr<S3Location> ParseS3Uri(std::string_view uri) {
  const auto refuse = [&](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(why), ": ", std::string(uri)));
  };
  if (!IsS3Uri(uri)) return refuse("not s3://BUCKET/PREFIX");
  std::string_view rest = uri.substr(kScheme.size());
  S3Location location;
  const size_t slash = rest.find('/');
  location.bucket = std::string(rest.substr(0, slash));
  if (!IsBucket(location.bucket)) return refuse("not the name of a bucket");
  if (slash == rest.npos) return location;
  rest.remove_prefix(slash + 1);
  if (rest.size() > 1 && rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.size() > kLongestPrefix) return refuse("prefix is too long");
  location.prefix = std::string(rest);
  if (location.prefix.empty()) return location;
  for (const auto& part : absl::StrSplit(location.prefix, '/')) {
    if (!IsPart(std::string_view(part.data(), part.size()))) {
      return refuse("prefix has an empty part, a dot or a control character");
    }
  }
  return location;
}

std::string ToUri(const S3Location& location) {
  return location.prefix.empty()
             ? absl::StrCat("s3://", location.bucket)
             : absl::StrCat("s3://", location.bucket, "/", location.prefix);
}

std::string KeyOf(const S3Location& location, std::string_view path) {
  return location.prefix.empty()
             ? std::string(path)
             : absl::StrCat(location.prefix, "/", std::string(path));
}

std::string PercentEncode(std::string_view text, bool keep_slashes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' ||
        c == '~' || (keep_slashes && c == '/')) {
      encoded.push_back(static_cast<char>(c));
      continue;
    }
    encoded.push_back('%');
    encoded.push_back(kDigits[c >> 4]);
    encoded.push_back(kDigits[c & 15]);
  }
  return encoded;
}

std::string MakeUrl(const S3Server& server, const std::string& bucket,
                    std::string_view key,
                    const std::map<std::string, std::string>& parameters) {
  std::string endpoint = server.endpoint;
  if (endpoint.empty()) {
    endpoint = absl::StrCat("https://s3.", server.region, ".amazonaws.com");
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  std::string path = absl::StrCat("/", PercentEncode(key, true));
  if (server.path_style) {
    path = absl::StrCat("/", bucket, key.empty() ? std::string() : path);
  } else {
    const size_t host = endpoint.find("://");
    endpoint.insert(host == std::string::npos ? 0 : host + 3,
                    absl::StrCat(bucket, "."));
  }
  std::string url = absl::StrCat(endpoint, path);
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    // "name=" where there is no value: signatures are made so.
    absl::StrAppend(&url, std::string(1, separator), PercentEncode(name, false),
                    "=", PercentEncode(value, false));
    separator = '&';
  }
  return url;
}

}  // namespace tessera::storage
