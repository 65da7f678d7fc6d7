// SHA-256 (FIPS 180-4), the digest of pictures, models and LoRAs.
#ifndef TESSERA_COMMON_SHA256_H_
#define TESSERA_COMMON_SHA256_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tessera {

using Sha256Digest = std::array<uint8_t, 32>;

// Returns the digest of `bytes`.
Sha256Digest Sha256(std::string_view bytes);

// Returns the digest of `bytes` as 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

// Digests bytes that arrive in pieces. Thread-compatible.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();

  // Appends `bytes`.
  void Update(std::string_view bytes);

  // Returns the digest of everything appended, in hexadecimal. Call once.
  std::string FinishHex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace tessera

#endif  // TESSERA_COMMON_SHA256_H_
