// Seeds of pictures: fixed at submit, so that a picture can be made again.
#ifndef TESSERA_COORDINATOR_SEEDS_H_
#define TESSERA_COORDINATOR_SEEDS_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace tessera::coordinator {

// Returns the seed of picture `index` of the line `custom_id`. A line with its
// own seed counts on from it, line_seed + index mod 2^64, as A1111 does; else
// it is the first eight bytes of a SHA-256 over the job's seed, the id and the
// index, so that it depends neither on the order of lines nor on sharding.
uint64_t PictureSeed(std::optional<uint64_t> line_seed, uint64_t job_seed,
                     std::string_view custom_id, int index);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SEEDS_H_
