// The coordinator's use cases for workers.
#include <string>
#include <utility>
#include <variant>

#include "common/status_macros.h"
#include "coordinator/coordinator.h"
#include "coordinator/coordinator_state.h"
#include "coordinator/shard_payload.h"

namespace tessera::coordinator {
namespace {

// Ends a lease that cannot be handed out for `why`. Renewing it instead would
// keep its job from ending (I5). Errors: `why` when it may pass, for the worker
// to wait before it asks again.
absl::StatusOr<SynchronizeReply> AnswerUnreadable(CoordinatorState& state,
                                                  const WorkerId& worker,
                                                  const Lease& lease,
                                                  const absl::Status& why) {
  const bool damaged = absl::IsDataLoss(why);
  RETURN_IF_ERROR(state
                      .RunAndTell([&](JobTransaction& transaction) {
                        if (damaged) {
                          state.dispatcher.FailUnreadable(
                              worker, lease, std::string(why.message()),
                              transaction);
                        } else {
                          state.dispatcher.TakeBack(worker, lease, transaction);
                        }
                        return absl::OkStatus();
                      })
                      .status());
  if (!damaged) return why;
  // Asks again at once: the next shard may be whole. Not here in a loop, so
  // that a store full of damage does not hold one call for ever.
  return SynchronizeReply{absl::ZeroDuration(), CarryOn{}};
}

}  // namespace

absl::StatusOr<SynchronizeReply> Coordinator::Synchronize(
    const SynchronizeRequest& request) {
  SynchronizeReply reply;
  RETURN_IF_ERROR(state_
                      ->RunAndTell([&](JobTransaction& transaction) {
                        reply = state_->dispatcher.Synchronize(
                            request, state_->clock.Now(), transaction);
                        return absl::OkStatus();
                      })
                      .status());
  auto* assignment = std::get_if<Assignment>(&reply.desired);
  if (assignment == nullptr) return reply;
  // After the commit, outside of commands: the payload never changes, and it is
  // the largest part of the answer.
  absl::StatusOr<ShardPayload> payload =
      ReadShardPayload(state_->store, state_->task_reader,
                       assignment->lease.shard, assignment->pictures);
  if (!payload.ok()) {
    return AnswerUnreadable(*state_, request.worker, assignment->lease,
                            payload.status());
  }
  assignment->payload = std::move(payload->bytes);
  return reply;
}

absl::StatusOr<std::vector<int32_t>> Coordinator::CommitResults(
    const CommitRequest& request) {
  std::vector<int32_t> conflicts;
  RETURN_IF_ERROR(state_
                      ->RunAndTell([&](JobTransaction& transaction) {
                        // An error of Commit has changed nothing, so it may
                        // share its transaction with the calls around it.
                        ASSIGN_OR_RETURN(
                            conflicts,
                            state_->dispatcher.Commit(
                                request, state_->clock.Now(), transaction));
                        return absl::OkStatus();
                      })
                      .status());
  return conflicts;
}

}  // namespace tessera::coordinator
