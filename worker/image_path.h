// Where a job's pictures lie below its output folder.
#ifndef TESSERA_WORKER_IMAGE_PATH_H_
#define TESSERA_WORKER_IMAGE_PATH_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tessera::worker {

// Returns "images/000017/ID-2.png", the path of picture `index` of the line
// `custom_id`. INVALID_ARGUMENT unless the id is 1 to 64 of [A-Za-z0-9._-] and
// does not start with a dot: the path then cannot leave its folder.
absl::StatusOr<std::string> ImagePath(int64_t shard_index,
                                      const std::string& custom_id, int index);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_IMAGE_PATH_H_
