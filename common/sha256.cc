#include "common/sha256.h"

#include <openssl/evp.h>

#include "common/check.h"

namespace tessera {
namespace {

// Writes lower case, the one form in which digests are compared as text.
std::string Hex(const Sha256Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const uint8_t byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace

// Owns OpenSSL's state, which keeps its headers out of ours.
struct Sha256Stream::Context {
  // Null only when memory is short; the CHECK in the constructor then dies.
  EVP_MD_CTX* const evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
  // Fails for lack of memory or a broken OpenSSL, never for what is digested,
  // so callers get no error to handle. The same holds below.
  CHECK(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1);
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1);
}

std::string Sha256Stream::FinishHex() {
  Sha256Digest digest;
  CHECK(EVP_DigestFinal_ex(context_->evp, digest.data(), nullptr) == 1);
  return Hex(digest);
}

Sha256Digest Sha256(std::string_view bytes) {
  Sha256Digest digest;
  // In one call: all bytes are there, so no state has to be kept.
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr,
                   EVP_sha256(), nullptr) == 1);
  return digest;
}

std::string Sha256Hex(std::string_view bytes) { return Hex(Sha256(bytes)); }

}  // namespace tessera
