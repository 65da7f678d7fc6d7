#include "coordinator/seeds.h"

#include <string>

#include "common/sha256.h"

namespace tessera::coordinator {
namespace {

void AppendBigEndian(std::string& bytes, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
}

}  // namespace

uint64_t PictureSeed(std::optional<uint64_t> line_seed, uint64_t job_seed,
                     std::string_view custom_id, int index) {
  if (line_seed.has_value()) {
    return *line_seed + static_cast<uint64_t>(index);
  }
  std::string bytes = "tessera seed 1:";
  AppendBigEndian(bytes, job_seed);
  AppendBigEndian(bytes, static_cast<uint64_t>(index));
  bytes.append(custom_id);
  const Sha256Digest digest = Sha256(bytes);
  uint64_t seed = 0;
  for (int i = 0; i < 8; ++i) seed = seed << 8 | digest[i];
  return seed;
}

}  // namespace tessera::coordinator
