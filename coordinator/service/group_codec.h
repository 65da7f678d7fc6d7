// The messages of pipeline groups on the wire.
#ifndef TESSERA_COORDINATOR_SERVICE_GROUP_CODEC_H_
#define TESSERA_COORDINATOR_SERVICE_GROUP_CODEC_H_

#include "absl/status/statusor.h"
#include "coordinator/pipeline/group_messages.h"
#include "tessera/internal/v1/pipeline.pb.h"

namespace tessera::coordinator {

// Decodes what a member reports. INVALID_ARGUMENT names what cannot be, such
// as more pieces than a UNet has.
absl::StatusOr<GroupReport> DecodeGroupReport(
    const internal::v1::GroupReport& proto);

// Encodes what a worker is told.
void EncodeGroup(const GroupAssignment& group,
                 internal::v1::GroupAssignment& proto);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_GROUP_CODEC_H_
