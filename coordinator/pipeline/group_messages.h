// What the coordinator and the members of a group say to each other.
#ifndef TESSERA_COORDINATOR_PIPELINE_GROUP_MESSAGES_H_
#define TESSERA_COORDINATOR_PIPELINE_GROUP_MESSAGES_H_

#include <string>
#include <vector>

#include "coordinator/pipeline/planner.h"

namespace tessera::coordinator {

// How far a member is on its way into a group.
enum class MemberState {
  kJoining,  // was told of the group, and prepares
  kJoined,   // its address is known; it waits for the others'
  kReady,    // it is connected with all others, its weights are loaded
  kFailed    // it cannot be a member, or is not any more
};

// What a worker says of the group that it was told of.
struct GroupReport {
  std::string group;
  MemberState state = MemberState::kJoining;
  std::string address;            // for the other members; opaque
  std::string model_digest;       // of its files
  std::vector<PieceCost> pieces;  // as measured by it; once joined
  std::string reason;             // of a failure
};

// What a worker is told of its group.
struct GroupAssignment {
  std::string group;  // another one each time that a group is formed
  int rank = 0;
  int stages = 0;
  std::string model;
  int batch = 0;  // pictures in the pipeline together, about
  // By rank, and the way through the ranks; empty until all have joined.
  std::vector<std::string> addresses;
  std::vector<PlanSegment> segments;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_PIPELINE_GROUP_MESSAGES_H_
