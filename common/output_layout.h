// Where a job's files lie below its output folder, as workers write them and
// the coordinator seals them.
#ifndef TESSERA_COMMON_OUTPUT_LAYOUT_H_
#define TESSERA_COMMON_OUTPUT_LAYOUT_H_

#include <cstdint>
#include <string>

namespace tessera {

// The folder of files that are not complete yet. The name is Tessera's own, as
// the folder is removed whole when a job ends: a user's .tmp is not ours.
inline constexpr char kTemporaryFolder[] = ".tessera-tmp";

// Returns "images/000017", the folder of a shard's pictures.
std::string ShardFolder(int64_t shard_index);

}  // namespace tessera

#endif  // TESSERA_COMMON_OUTPUT_LAYOUT_H_
