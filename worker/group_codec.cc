#include "worker/group_codec.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tessera::worker {
namespace {

// Bounds what a coordinator may ask for.
constexpr int kMostStages = 8;

// Writes how far the worker is.
internal::v1::GroupReport::State Encode(GroupState state) {
  switch (state) {
    case GroupState::kJoining:
      return internal::v1::GroupReport::STATE_JOINING;
    case GroupState::kJoined:
      return internal::v1::GroupReport::STATE_JOINED;
    case GroupState::kReady:
      return internal::v1::GroupReport::STATE_READY;
    case GroupState::kFailed:
      return internal::v1::GroupReport::STATE_FAILED;
  }
  return internal::v1::GroupReport::STATE_UNSPECIFIED;
}

}  // namespace

internal::v1::GroupReport Encode(const GroupStatus& status) {
  internal::v1::GroupReport message;
  message.set_group_id(status.group);
  message.set_state(Encode(status.state));
  message.set_address(status.address);
  message.set_model_digest(status.model_digest);
  for (const PieceFigures& piece : status.pieces) {
    internal::v1::PieceCost& cost = *message.add_pieces();
    cost.set_name(piece.name);
    cost.set_seconds(piece.seconds);
    cost.set_weight_bytes(piece.weight_bytes);
    cost.set_output_bytes(piece.output_bytes);
    cost.set_saves_skip(piece.saves_skip);
    cost.set_takes_skip(piece.takes_skip);
  }
  message.set_reason(status.reason);
  return message;
}

absl::StatusOr<GroupOrder> Decode(
    const internal::v1::GroupAssignment& message) {
  GroupOrder order{.group = message.group_id(),
                   .rank = message.rank(),
                   .stages = message.stages(),
                   .model = message.model(),
                   .batch = message.batch()};
  const bool complete = message.addresses_size() > 0;
  if (order.stages < 2 || order.stages > kMostStages || order.rank < 0 ||
      order.rank >= order.stages || order.batch < 0 ||
      (complete && message.addresses_size() != order.stages)) {
    return absl::InternalError(
        absl::StrCat("coordinator names a group that cannot be: rank ",
                     order.rank, " of ", order.stages));
  }
  order.addresses.assign(message.addresses().begin(),
                         message.addresses().end());
  order.layout.ranks = order.stages;
  for (const internal::v1::StageSegment& segment : message.segments()) {
    // Negative numbers become ones that no layout has.
    order.layout.segments.push_back({segment.rank(),
                                     static_cast<size_t>(segment.begin()),
                                     static_cast<size_t>(segment.end())});
  }
  return order;
}

}  // namespace tessera::worker
