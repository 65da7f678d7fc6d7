#include "coordinator/service/group_codec.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Far above what UNets have, and what bounds the planner's search.
constexpr int kMostPieces = 512;
constexpr int kMostSkips = 64;
// An address of a few dozen bytes for each other rank, or an id.
constexpr size_t kLongestAddress = 4096;

// Reads how far a member is.
absl::StatusOr<MemberState> DecodeState(
    internal::v1::GroupReport::State state) {
  switch (state) {
    case internal::v1::GroupReport::STATE_JOINING:
      return MemberState::kJoining;
    case internal::v1::GroupReport::STATE_JOINED:
      return MemberState::kJoined;
    case internal::v1::GroupReport::STATE_READY:
      return MemberState::kReady;
    case internal::v1::GroupReport::STATE_FAILED:
      return MemberState::kFailed;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("group: no such state: ", static_cast<int>(state)));
  }
}

// Reads a piece, whose numbers the planner adds up.
absl::StatusOr<PieceCost> DecodePiece(const internal::v1::PieceCost& proto) {
  const bool good =
      proto.seconds() >= 0 && proto.seconds() < 1e9 &&
      proto.weight_bytes() >= 0 && proto.weight_bytes() < (int64_t{1} << 48) &&
      proto.output_bytes() >= 0 && proto.output_bytes() < (int64_t{1} << 48) &&
      proto.saves_skip() < kMostSkips && proto.takes_skip() < kMostSkips;
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("group: a piece that cannot be: ", proto.name()));
  }
  return PieceCost{.name = proto.name(),
                   .seconds = proto.seconds(),
                   .weight_bytes = proto.weight_bytes(),
                   .output_bytes = proto.output_bytes(),
                   .saves_skip = proto.saves_skip(),
                   .takes_skip = proto.takes_skip()};
}

}  // namespace

absl::StatusOr<GroupReport> DecodeGroupReport(
    const internal::v1::GroupReport& proto) {
  GroupReport report{.group = proto.group_id(),
                     .address = proto.address(),
                     .model_digest = proto.model_digest(),
                     .reason = proto.reason()};
  ASSIGN_OR_RETURN(report.state, DecodeState(proto.state()));
  if (proto.pieces_size() > kMostPieces ||
      proto.address().size() > kLongestAddress) {
    return absl::InvalidArgumentError("group: report is too large");
  }
  for (const internal::v1::PieceCost& piece : proto.pieces()) {
    ASSIGN_OR_RETURN(PieceCost cost, DecodePiece(piece));
    report.pieces.push_back(std::move(cost));
  }
  return report;
}

void EncodeGroup(const GroupAssignment& group,
                 internal::v1::GroupAssignment& proto) {
  proto.set_group_id(group.group);
  proto.set_rank(group.rank);
  proto.set_stages(group.stages);
  proto.set_model(group.model);
  proto.set_batch(group.batch);
  for (const std::string& address : group.addresses) {
    proto.add_addresses(address);
  }
  for (const PlanSegment& segment : group.segments) {
    internal::v1::StageSegment& one = *proto.add_segments();
    one.set_rank(segment.rank);
    one.set_begin(static_cast<int64_t>(segment.begin));
    one.set_end(static_cast<int64_t>(segment.end));
  }
}

}  // namespace tessera::coordinator
