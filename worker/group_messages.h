// What a worker and the coordinator say to each other of pipeline groups.
//
// These mirror tessera/internal/v1/pipeline.proto.
#ifndef TESSERA_WORKER_GROUP_MESSAGES_H_
#define TESSERA_WORKER_GROUP_MESSAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "worker/pipeline/schedule.h"

namespace tessera::worker {

// The group that a worker is to be in.
struct GroupOrder {
  std::string group;  // another one each time that a group is formed
  int rank = 0;       // 0 executes the leases
  int stages = 0;
  std::string model;
  int batch = 0;  // pictures in the pipeline together, about
  // By rank, and the way through the ranks; empty until all have joined.
  std::vector<std::string> addresses;
  pipeline::Layout layout;
};

// What a piece of the UNet costs here, for one sample and call.
struct PieceFigures {
  std::string name;
  double seconds = 0;
  int64_t weight_bytes = 0;
  int64_t output_bytes = 0;
  int saves_skip = -1;
  int takes_skip = -1;
};

// How far a worker is on its way into its group.
enum class GroupState { kJoining, kJoined, kReady, kFailed };

// What a worker says of the group that it was told of.
struct GroupStatus {
  std::string group;
  GroupState state = GroupState::kJoining;
  std::string address;       // for the other members; once joined
  std::string model_digest;  // likewise
  std::vector<PieceFigures> pieces;
  std::string reason;  // of a failure
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_GROUP_MESSAGES_H_
