// The messages of pipeline groups on the wire.
#ifndef TESSERA_WORKER_GROUP_CODEC_H_
#define TESSERA_WORKER_GROUP_CODEC_H_

#include "absl/status/statusor.h"
#include "tessera/internal/v1/pipeline.pb.h"
#include "worker/group_messages.h"

namespace tessera::worker {

// Encodes what a worker reports.
internal::v1::GroupReport Encode(const GroupStatus& status);

// Decodes what it is told. INTERNAL names what no group can be.
absl::StatusOr<GroupOrder> Decode(const internal::v1::GroupAssignment& message);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_GROUP_CODEC_H_
