#include "coordinator/service/worker_codec.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status_macros.h"
#include "coordinator/service/group_codec.h"
#include "coordinator/service/shard_codec.h"

namespace tessera::coordinator {
namespace {

// Results in one commit, the most that a worker sends. The limit bounds the
// transaction that one call can cause.
constexpr int kMaxResults = 4096;
// Far above the ids that workers make up; keeps log lines and tables small
// whatever connects.
constexpr size_t kMaxWorkerId = 128;

// LoRAs that one worker may say it holds; those beyond are not looked at.
constexpr int kMaxHeld = 256;

// Ids are opaque: any bytes tell workers apart.
absl::StatusOr<WorkerId> DecodeWorkerId(const std::string& id) {
  if (id.empty() || id.size() > kMaxWorkerId) {
    return absl::InvalidArgumentError(absl::StrCat(
        "worker_id: must be 1 to ", kMaxWorkerId, " bytes, got ", id.size()));
  }
  return WorkerId(id);
}

// Checks only what no lease can have. Whether it is the current one is for the
// core to say, which then answers ABORTED instead.
absl::StatusOr<Lease> DecodeLease(const internal::v1::Lease& proto) {
  if (proto.job_id().empty() || proto.shard_index() < 0 || proto.epoch() < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        // An epoch of 0 passes here: no grant has it, so the core refuses it.
        "lease: not one of this service: job \"", proto.job_id(), "\", shard ",
        proto.shard_index(), ", epoch ", proto.epoch()));
  }
  return Lease{{JobId(proto.job_id()), proto.shard_index()}, proto.epoch()};
}

// Takes over what the worker says of itself; it is shown and matched by model
// name, and nothing is allocated by its numbers.
WorkerInfo DecodeInfo(const internal::v1::WorkerInfo& proto) {
  return {.host = proto.host(),
          .device = proto.device(),
          .threads = proto.threads(),
          .version = proto.version(),
          .models = {proto.models().begin(), proto.models().end()},
          .batch = proto.batch(),
          .held_loras = {proto.held_loras().begin(),
                         proto.held_loras().begin() +
                             std::min(proto.held_loras_size(), kMaxHeld)}};
}

// Checks nothing: path and digest are judged by the core, with the shard at
// hand.
ImageRecord DecodeImage(const v1::Image& proto) {
  return {.custom_id = proto.custom_id(),
          .index = proto.index(),
          .seed = proto.seed(),
          .path = proto.path(),
          .sha256 = proto.sha256(),
          .width = proto.width(),
          .height = proto.height(),
          .worker = proto.worker(),
          .seconds = proto.seconds()};
}

// Decodes one result; a case that a newer worker may add is "no outcome" here
// and refused, never stored as something else.
absl::StatusOr<TaskResult> DecodeResult(const internal::v1::TaskResult& proto) {
  TaskResult result{.task = proto.task()};
  result.warnings.assign(proto.warnings().begin(), proto.warnings().end());
  switch (proto.outcome_case()) {
    case internal::v1::TaskResult::kImage:
      result.outcome = DecodeImage(proto.image());
      return result;
    case internal::v1::TaskResult::kFailure:
      result.outcome =
          TaskFailure{proto.failure().code(), proto.failure().reason()};
      return result;
    case internal::v1::TaskResult::OUTCOME_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("results: task ", proto.task(), " has no outcome"));
}

// Writes a duration of at most a few leases, so that nanoseconds fit.
void EncodeDuration(absl::Duration duration,
                    google::protobuf::Duration& proto) {
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(duration);
  proto.set_seconds(nanoseconds / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(nanoseconds % 1'000'000'000));
}

// Unpacks the stored shard into the message. The store keeps it compressed; on
// the wire the worker gets plain tasks and needs no zstd.
absl::Status EncodeAssignment(const Assignment& assignment,
                              internal::v1::Assignment& proto) {
  ASSIGN_OR_RETURN(*proto.mutable_shard(), DecodeShard(assignment.payload));
  internal::v1::Lease& lease = *proto.mutable_lease();
  lease.set_job_id(assignment.lease.shard.job.value());
  lease.set_shard_index(assignment.lease.shard.index);
  lease.set_epoch(assignment.lease.epoch);
  proto.set_model(assignment.model);
  proto.set_output_uri(assignment.output_uri);
  // Sent with all tasks: numbers stay those of the stored shard, and the worker
  // skips what is finished.
  for (const int32_t task : assignment.finished_tasks) {
    proto.add_finished_tasks(task);
  }
  for (const std::string& lora : assignment.prefetch_loras) {
    proto.add_prefetch_loras(lora);
  }
  // Last, after everything that can fail.
  proto.set_isolate(assignment.isolate);
  proto.set_allow_unmatched_loras(assignment.allow_unmatched_loras);
  proto.set_pipeline_stages(assignment.pipeline_stages);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SynchronizeRequest> DecodeSynchronize(
    const internal::v1::SynchronizeRequest& proto) {
  SynchronizeRequest request;
  ASSIGN_OR_RETURN(request.worker, DecodeWorkerId(proto.worker_id()));
  request.sequence = proto.sequence();
  request.info = DecodeInfo(proto.info());
  request.draining = proto.draining();
  if (proto.has_group()) {
    ASSIGN_OR_RETURN(request.group, DecodeGroupReport(proto.group()));
  }
  // `executing` wins; a message cannot hold both.
  if (proto.has_executing()) {
    ASSIGN_OR_RETURN(request.executing, DecodeLease(proto.executing().lease()));
    // Neither: an empty message would otherwise count as an idle worker and be
    // given a shard that nobody executes.
  } else if (!proto.has_idle()) {
    return absl::InvalidArgumentError("current: must be idle or executing");
  }
  return request;
}

absl::StatusOr<internal::v1::SynchronizeResponse> EncodeSynchronize(
    const SynchronizeReply& reply) {
  internal::v1::SynchronizeResponse proto;
  EncodeDuration(reply.next_synchronization,
                 *proto.mutable_next_synchronization());
  if (const auto* assignment = std::get_if<Assignment>(&reply.desired)) {
    RETURN_IF_ERROR(EncodeAssignment(*assignment, *proto.mutable_execute()));
  } else if (const auto* stop = std::get_if<Stop>(&reply.desired)) {
    proto.mutable_stop()->set_reason(stop->reason);
  } else {
    // Said outright, so that a worker can tell it from a field it does not
    // know.
    proto.mutable_carry_on();
  }
  if (reply.group.has_value())
    EncodeGroup(*reply.group, *proto.mutable_group());
  return proto;
}

absl::StatusOr<CommitRequest> DecodeCommit(
    const internal::v1::CommitResultsRequest& proto) {
  CommitRequest request;
  ASSIGN_OR_RETURN(request.worker, DecodeWorkerId(proto.worker_id()));
  ASSIGN_OR_RETURN(request.lease, DecodeLease(proto.lease()));
  // Before the copies: what is refused is not decoded.
  if (proto.results_size() > kMaxResults) {
    return absl::InvalidArgumentError(absl::StrCat(
        "results: at most ", kMaxResults, ", got ", proto.results_size()));
  }
  for (const internal::v1::TaskResult& result : proto.results()) {
    ASSIGN_OR_RETURN(TaskResult decoded, DecodeResult(result));
    request.results.push_back(std::move(decoded));
  }
  // Set beside results, not instead of them: both land in one transaction.
  request.release = proto.release();
  return request;
}

}  // namespace tessera::coordinator
