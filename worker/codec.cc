#include "worker/codec.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/group_codec.h"

namespace tessera::worker {
namespace {

// Bounds what a coordinator may ask for: a bug there must not silence the
// worker for good.
constexpr absl::Duration kLongestPause = absl::Minutes(1);

// Writes the three fields that name a lease; the epoch fences off attempts that
// were given up.
internal::v1::Lease Encode(const Lease& lease) {
  internal::v1::Lease message;
  message.set_job_id(lease.job_id);
  message.set_shard_index(lease.shard_index);
  message.set_epoch(lease.epoch);
  return message;
}

// Writes what the job's manifest says of a picture; `path` is relative to the
// job's output.
v1::Image Encode(const FinishedImage& image) {
  v1::Image message;
  message.set_custom_id(image.custom_id);
  message.set_index(image.index);
  message.set_seed(image.seed);
  message.set_path(image.path);
  message.set_sha256(image.sha256);
  message.set_width(image.width);
  message.set_height(image.height);
  message.set_worker(image.worker);
  message.set_seconds(image.seconds);
  return message;
}

// Writes either a picture or a failure, never both.
internal::v1::TaskResult Encode(const TaskResult& result) {
  internal::v1::TaskResult message;
  message.set_task(result.task);
  if (const auto* image = std::get_if<FinishedImage>(&result.outcome)) {
    *message.mutable_image() = Encode(*image);
  } else {
    const auto& failure = std::get<TaskFailure>(result.outcome);
    message.mutable_failure()->set_code(failure.code);
    message.mutable_failure()->set_reason(failure.reason);
  }
  for (const std::string& warning : result.warnings) {
    message.add_warnings(warning);
  }
  return message;
}

// Reads one picture's task; zero and empty fields stay for the model to fill
// in.
ImageTask Decode(const internal::v1::ImageTask& message, bool allow_unmatched) {
  ImageTask task;
  task.line = message.line();
  task.custom_id = message.custom_id();
  task.index = message.index();
  task.prompt = message.prompt();
  task.negative_prompt = message.negative_prompt();
  task.seed = message.seed();
  task.num_inference_steps = message.num_inference_steps();
  task.guidance_scale = message.guidance_scale();
  task.width = message.width();
  task.height = message.height();
  task.sampler = message.sampler();
  for (const auto& lora : message.loras()) {
    task.loras.push_back(
        {lora.name(), lora.scale(), lora.sha256(), allow_unmatched});
  }
  return task;
}

// Reads an assignment and checks that finished tasks are indices of it.
absl::StatusOr<Assignment> Decode(const internal::v1::Assignment& message) {
  Assignment assignment;
  assignment.lease = {message.lease().job_id(), message.lease().shard_index(),
                      message.lease().epoch()};
  assignment.model = message.model();
  assignment.output_uri = message.output_uri();
  assignment.isolate = message.isolate();
  assignment.pipeline_stages = message.pipeline_stages();
  for (const auto& task : message.shard().tasks()) {
    assignment.tasks.push_back(Decode(task, message.allow_unmatched_loras()));
  }
  assignment.prefetch_loras.assign(message.prefetch_loras().begin(),
                                   message.prefetch_loras().end());
  // Refuses the whole answer: half an assignment would be committed as a whole.
  for (const int task : message.finished_tasks()) {
    if (task < 0 || task >= message.shard().tasks_size()) {
      return absl::InternalError(
          absl::StrCat("assignment names a task it does not have: ", task));
    }
    assignment.finished_tasks.push_back(task);
  }
  return assignment;
}

// Reads a pause and clamps it, so that a wrong clock or a bug at the other end
// neither spins this worker nor silences it.
absl::Duration Decode(const google::protobuf::Duration& message) {
  const absl::Duration pause =
      absl::Seconds(message.seconds()) + absl::Nanoseconds(message.nanos());
  return std::clamp(pause, absl::ZeroDuration(), kLongestPause);
}

}  // namespace

internal::v1::SynchronizeRequest Encode(const WorkerFacts& facts,
                                        const SynchronizeCall& call) {
  internal::v1::SynchronizeRequest request;
  request.set_worker_id(facts.worker_id);
  request.set_sequence(call.sequence);
  // Repeats the facts in every call, so that a coordinator that restarted knows
  // the worker again at once.
  internal::v1::WorkerInfo& info = *request.mutable_info();
  info.set_host(facts.host);
  info.set_device(facts.device);
  info.set_threads(facts.threads);
  info.set_version(facts.version);
  info.set_batch(facts.batch);
  for (const std::string& model : facts.models) info.add_models(model);
  for (const std::string& sha256 : call.held_loras) {
    info.add_held_loras(sha256);
  }
  // Says what the worker holds, not what it wants: the coordinator compares it
  // with its own books.
  if (call.lease) {
    *request.mutable_executing()->mutable_lease() = Encode(*call.lease);
    // Counts results that wait for their commit as finished.
    request.mutable_executing()->set_tasks_finished(call.tasks_finished);
  } else {
    request.mutable_idle();
  }
  request.set_draining(call.draining);
  if (call.group) *request.mutable_group() = Encode(*call.group);
  return request;
}

internal::v1::CommitResultsRequest Encode(const std::string& worker_id,
                                          const CommitCall& call) {
  internal::v1::CommitResultsRequest request;
  request.set_worker_id(worker_id);
  *request.mutable_lease() = Encode(call.lease);
  for (const TaskResult& result : call.results) {
    *request.add_results() = Encode(result);
  }
  request.set_release(call.release);
  return request;
}

absl::StatusOr<SynchronizeAnswer> Decode(
    const internal::v1::SynchronizeResponse& response) {
  SynchronizeAnswer answer;
  // Is read before what is desired, for every answer has one.
  answer.next_synchronization = Decode(response.next_synchronization());
  if (response.has_group()) {
    ASSIGN_OR_RETURN(answer.group, Decode(response.group()));
  }
  switch (response.desired_case()) {
    case internal::v1::SynchronizeResponse::kCarryOn:
      answer.desired = CarryOn{};
      return answer;
    case internal::v1::SynchronizeResponse::kExecute: {
      ASSIGN_OR_RETURN(answer.desired, Decode(response.execute()));
      return answer;
    }
    case internal::v1::SynchronizeResponse::kStop:
      answer.desired = StopLease{response.stop().reason()};
      return answer;
    // Catches an answer of a newer coordinator that desires something unknown
    // here.
    case internal::v1::SynchronizeResponse::DESIRED_NOT_SET:
      break;
  }
  return absl::InternalError("coordinator desires nothing known");
}

}  // namespace tessera::worker
