// How a UNet is cut into the stages of a pipeline.
#ifndef TESSERA_COORDINATOR_PIPELINE_PLANNER_H_
#define TESSERA_COORDINATOR_PIPELINE_PLANNER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tessera::coordinator {

// What a piece of the UNet costs, for one sample and call.
struct PieceCost {
  std::string name;
  double seconds = 0;  // on a device of speed 1; any unit will do
  int64_t weight_bytes = 0;
  int64_t output_bytes = 0;  // what crosses a cut behind it
  int saves_skip = -1;       // number of the skip; -1: none
  int takes_skip = -1;
};

// A device that can be a stage.
struct StageDevice {
  double speed = 1;          // how many times as fast as the cost table says
  int64_t memory_bytes = 0;  // for weights and skips; 0: as much as it takes
};

// The connection between two devices.
struct StageLink {
  double bytes_per_second = 0;  // 0: costs nothing
};

// What is assumed of a link that nobody measured: ten gigabits a second.
inline constexpr StageLink kUsualLink{.bytes_per_second = 1.25e9};

// Which pieces a rank may own. Folded: a range of the way down and its mirror
// image of the way up, so that no skip leaves its rank. Linear: one range; the
// skips are sent.
enum class Placement { kFolded, kLinear };

struct PlanRequest {
  std::vector<PieceCost> pieces;     // in the order in which they run
  std::vector<StageDevice> devices;  // one a stage, 1 to 8
  StageLink link;
  // Samples of which skips lie parked at a time.
  int64_t samples = 1;
  std::optional<Placement> placement;  // absent: the better one
};

// A run of pieces [begin, end) on one rank.
struct PlanSegment {
  int rank = 0;
  size_t begin = 0;
  size_t end = 0;

  friend bool operator==(const PlanSegment&, const PlanSegment&) = default;
};

// What one rank has to do.
struct PlanStage {
  size_t device = 0;  // index into PlanRequest::devices
  double seconds = 0;
  double transfer_seconds = 0;
  int64_t weight_bytes = 0;
  int64_t memory_bytes = 0;  // weights and parked skips
};

struct Plan {
  Placement placement = Placement::kFolded;
  std::vector<PlanSegment> segments;  // in order; begins and ends with rank 0
  std::vector<PlanStage> stages;      // by rank
  int64_t hidden_bytes = 0;           // on the wire, for one sample and call
  int64_t skip_bytes = 0;
  // The mean stage's time in the slowest one's, transfers included: what the
  // pipeline makes of its devices when it has no bubble.
  double share_of_ideal = 0;
};

// Minimises the slowest stage and its transfers over all cuts, both placements
// and all orders of unlike devices; of equals, the one with fewest bytes.
// Errors: INVALID_ARGUMENT for a table or a number of devices that cannot be,
// FAILED_PRECONDITION with the reason when nothing fits. Pure.
absl::StatusOr<Plan> MakePlan(const PlanRequest& request);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_PIPELINE_PLANNER_H_
