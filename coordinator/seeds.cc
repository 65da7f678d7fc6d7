#include "coordinator/seeds.h"

#include <string>

#include "common/sha256.h"

namespace tessera::coordinator {
namespace {

// Fixes the byte order, so that seeds do not depend on the machine.
void AppendBigEndian(std::string& bytes, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
}

}  // namespace

uint64_t PictureSeed(std::optional<uint64_t> line_seed, uint64_t job_seed,
                     std::string_view custom_id, int index) {
  if (line_seed.has_value()) {
    // Unsigned, so it wraps at 2^64 as the header says.
    return *line_seed + static_cast<uint64_t>(index);
  }
  // Names the rule and its version: another rule must give other seeds, and no
  // other use of SHA-256 here can collide with this one.
  std::string bytes = "tessera seed 1:";
  AppendBigEndian(bytes, job_seed);
  AppendBigEndian(bytes, static_cast<uint64_t>(index));
  // Last, because its length varies: the numbers before it have fixed sizes, so
  // no two inputs give the same bytes.
  bytes.append(custom_id);
  const Sha256Digest digest = Sha256(bytes);
  uint64_t seed = 0;
  // The first eight bytes as big-endian, as they are written above.
  for (int i = 0; i < 8; ++i) seed = seed << 8 | digest[i];
  return seed;
}

}  // namespace tessera::coordinator
