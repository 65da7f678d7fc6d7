#include "coordinator/manifest.h"

#include <memory>
#include <set>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/output_layout.h"
#include "common/status_macros.h"
#include "coordinator/job_state.h"
#include "coordinator/result_merge.h"
#include "nlohmann/json.hpp"

namespace tessera::coordinator {
namespace {

using Json = nlohmann::ordered_json;

// Text from outside may not be UTF-8; what is not becomes U+FFFD.
std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// Returns a line of manifest.jsonl; the order of keys is part of the format.
std::string ManifestLine(const TaskIdentity& identity,
                         const ImageRecord& image) {
  // From the payload, not from what the worker sent: the id a user gave must
  // come back unchanged.
  const Json line = {{"custom_id", identity.custom_id},
                     {"index", identity.index},
                     {"seed", image.seed},
                     {"path", image.path},
                     {"sha256", image.sha256},
                     {"width", image.width},
                     {"height", image.height},
                     {"worker", image.worker},
                     {"seconds", image.seconds}};
  return Dump(line, -1) + "\n";
}

// Returns a line of errors.jsonl for a picture that failed for good; what was
// cancelled has no line in either file.
std::string ErrorLine(const TaskIdentity& identity,
                      const TaskFailure& failure) {
  const Json line = {{"custom_id", identity.custom_id},
                     {"index", identity.index},
                     {"line", identity.line},
                     {"code", failure.code},
                     {"reason", failure.reason}};
  return Dump(line, -1) + "\n";
}

// Returns a time in RFC 3339 and UTC; empty for one that never came.
std::string TimeText(absl::Time time) {
  return time == absl::InfinitePast()
             ? std::string()
             : absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
}

// Returns the LoRAs that the job was promised, with the files they were.
Json LorasJson(const std::vector<LoraPin>& pins) {
  Json loras = Json::array();
  for (const LoraPin& pin : pins) {
    loras.push_back({{"name", pin.name}, {"sha256", pin.sha256}});
  }
  return loras;
}

// Returns job.json: what was asked, what became of it, and by which version.
std::string JobText(const Job& job, const std::vector<LoraPin>& pins,
                    absl::Time end_time) {
  // Parsed and written again, so that a request of any shape nests properly;
  // one that is not JSON must not keep a job from ending.
  Json request = Json::parse(job.header.request_json, nullptr, false);
  if (!request.is_object()) request = Json::object();
  const Json json = {{"job_id", job.id.value()},
                     // The state that follows: the job itself is still SEALING.
                     {"state", std::string(JobStateName(job.outcome))},
                     {"message", job.message},
                     {"warnings", job.warnings},
                     {"model", job.header.model},
                     {"output_uri", job.header.output_uri},
                     {"request_id", job.header.request_id},
                     {"seed", job.header.seed},
                     {"shard_size", job.header.shard_size},
                     {"request", request},
                     {"loras", LorasJson(pins)},
                     {"lines", job.lines},
                     {"shards", job.shards},
                     {"retries", job.retries},
                     {"images",
                      {{"total", job.images.total},
                       {"done", job.images.done},
                       {"failed", job.images.failed},
                       {"cancelled", job.images.cancelled}}},
                     {"create_time", TimeText(job.create_time)},
                     {"start_time", TimeText(job.start_time)},
                     {"end_time", TimeText(end_time)},
                     {"version", TESSERA_VERSION}};
  return Dump(json, 2) + "\n";
}

// Removes what lies in the folder of a shard and is no finished picture of it.
absl::Status RemoveUnnamed(const JobStore& store, const ShardId& id,
                           storage::OutputStore& out) {
  ASSIGN_OR_RETURN(const std::vector<TaskResult> results,
                   store.ReadResults(id));
  std::set<std::string> named;
  for (const TaskResult& result : results) {
    const auto* image = std::get_if<ImageRecord>(&result.outcome);
    if (image != nullptr) named.insert(image->path);
  }
  // The folder's name is given by the protocol: workers put the pictures of a
  // shard into images/ under its number. There is none when no worker ever
  // started on the shard.
  ASSIGN_OR_RETURN(const std::vector<std::string> found,
                   out.List(ShardFolder(id.index)));
  for (const std::string& path : found) {
    if (!named.contains(path)) RETURN_IF_ERROR(out.Remove(path));
  }
  return absl::OkStatus();
}

// Writes both files in one pass over the results.
absl::Status WriteResults(const JobStore& store, const TaskReader& task_reader,
                          const Job& job, const std::vector<Shard>& shards,
                          storage::OutputStore& out) {
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputFile> manifest,
                   out.Create("manifest.jsonl"));
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputFile> errors,
                   out.Create("errors.jsonl"));
  RETURN_IF_ERROR(MergeResults(
      store, task_reader, job.id, shards,
      [&](const TaskIdentity& identity, const TaskResult& result) {
        const auto* image = std::get_if<ImageRecord>(&result.outcome);
        if (image != nullptr) {
          return manifest->Append(ManifestLine(identity, *image));
        }
        return errors->Append(
            ErrorLine(identity, std::get<TaskFailure>(result.outcome)));
      }));
  // The manifest last: it is what marks the folder as taken, and with it the
  // errors are known to be complete.
  RETURN_IF_ERROR(errors->Commit());
  return manifest->Commit();
}

}  // namespace

absl::Status SealJob(const JobStore& store, const TaskReader& task_reader,
                     const Job& job, absl::Time end_time,
                     storage::OutputStore& out) {
  ASSIGN_OR_RETURN(const std::vector<Shard> shards, store.LoadShards(job.id));
  RETURN_IF_ERROR(out.Prepare(""));
  RETURN_IF_ERROR(WriteResults(store, task_reader, job, shards, out));
  for (const Shard& shard : shards) {
    // A complete shard's pictures all have fixed names and are all in the
    // manifest, so there is nothing to look for.
    if (shard.done() == shard.pictures()) continue;
    RETURN_IF_ERROR(RemoveUnnamed(store, {job.id, shard.index}, out));
  }
  // Last of the three: whoever finds job.json finds the job complete.
  ASSIGN_OR_RETURN(const std::vector<LoraPin> pins, store.LoadLoraPins(job.id));
  RETURN_IF_ERROR(out.Put("job.json", JobText(job, pins, end_time)).status());
  // What workers left there when they were killed.
  return out.RemoveTemporaries();
}

}  // namespace tessera::coordinator
