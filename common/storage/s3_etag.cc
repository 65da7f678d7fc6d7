#include "common/storage/s3_etag.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/check.h"

namespace tessera::storage {
namespace {

// An MD5 in hexadecimal.
constexpr size_t kMd5Digits = 32;

// Says whether an ETag can be the MD5 of its part.
bool IsMd5(const std::string& etag) {
  return etag.size() == kMd5Digits &&
         std::all_of(etag.begin(), etag.end(),
                     [](unsigned char c) { return absl::ascii_isxdigit(c); });
}

}  // namespace

std::string CompositeEtag(const std::vector<std::string>& parts) {
  std::string digests;
  for (const std::string& part : parts) {
    if (!IsMd5(part)) return std::string();
    digests += absl::HexStringToBytes(part);
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  CHECK(EVP_Digest(digests.data(), digests.size(), digest, &length, EVP_md5(),
                   nullptr) == 1);
  return absl::StrCat(absl::BytesToHexString(absl::string_view(
                          reinterpret_cast<const char*>(digest), length)),
                      "-", parts.size());
}

}  // namespace tessera::storage
