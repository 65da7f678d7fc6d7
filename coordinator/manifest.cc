#include "coordinator/manifest.h"

#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/output_layout.h"
#include "common/status_macros.h"
#include "coordinator/durable_file.h"
#include "coordinator/job_state.h"
#include "coordinator/output_folder.h"
#include "coordinator/result_merge.h"
#include "nlohmann/json.hpp"

namespace tessera::coordinator {
namespace {

namespace fs = std::filesystem;
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

// Turns an error of std::filesystem, whose values are errno on Linux, into a
// status that names the path.
absl::Status FromErrorCode(const std::error_code& error,
                           const std::string& what, const fs::path& path) {
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(),
                             absl::StrCat(what, ": ", path.string()));
}

// Removes what lies in the folder of a shard and is no finished picture of it.
absl::Status RemoveUnnamed(const JobStore& store, const ShardId& id,
                           const fs::path& out) {
  // The folder's name is given by the protocol: workers put the pictures of a
  // shard into images/ under its number.
  const fs::path folder = out / ShardFolder(id.index);
  std::error_code error;
  // Not there when no worker ever started on the shard.
  if (!fs::is_directory(folder, error)) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<TaskResult> results, store.ReadResults(id));
  std::set<fs::path> named;
  for (const TaskResult& result : results) {
    const auto* image = std::get_if<ImageRecord>(&result.outcome);
    if (image != nullptr) named.insert(out / image->path);
  }
  // Listed first, removed then: removing while listing may skip entries.
  std::vector<fs::path> unnamed;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (!named.contains(it->path())) unnamed.push_back(it->path());
  }
  RETURN_IF_ERROR(FromErrorCode(error, "cannot list folder", folder));
  for (const fs::path& path : unnamed) {
    // Also whole folders: nobody else has a say below a shard's folder.
    fs::remove_all(path, error);
    RETURN_IF_ERROR(FromErrorCode(error, "cannot remove file", path));
  }
  // An error is fine here: an empty folder that stays hurts nobody.
  if (named.empty()) fs::remove(folder, error);
  return absl::OkStatus();
}

// Writes both files in one pass over the results.
absl::Status WriteResults(const JobStore& store, const TaskReader& task_reader,
                          const Job& job, const std::vector<Shard>& shards,
                          const fs::path& out, const fs::path& temporary) {
  // Temporary names lie below the output, since a rename cannot cross file
  // systems.
  ASSIGN_OR_RETURN(DurableFile manifest,
                   DurableFile::Create(out / "manifest.jsonl",
                                       temporary / "manifest.jsonl"));
  ASSIGN_OR_RETURN(
      DurableFile errors,
      DurableFile::Create(out / "errors.jsonl", temporary / "errors.jsonl"));
  RETURN_IF_ERROR(MergeResults(
      store, task_reader, job.id, shards,
      [&](const TaskIdentity& identity, const TaskResult& result) {
        const auto* image = std::get_if<ImageRecord>(&result.outcome);
        if (image != nullptr) {
          return manifest.Append(ManifestLine(identity, *image));
        }
        return errors.Append(
            ErrorLine(identity, std::get<TaskFailure>(result.outcome)));
      }));
  // The manifest last: it is what marks the folder as taken, and with it the
  // errors are known to be complete.
  RETURN_IF_ERROR(errors.Commit());
  return manifest.Commit();
}

}  // namespace

absl::Status SealJob(const JobStore& store, const TaskReader& task_reader,
                     const Job& job, absl::Time end_time) {
  // Was parsed when the job was taken, so this fails only if the store was
  // written by something else.
  ASSIGN_OR_RETURN(const fs::path out, OutputFolder(job.header.output_uri));
  ASSIGN_OR_RETURN(const std::vector<Shard> shards, store.LoadShards(job.id));
  const fs::path temporary = out / kTemporaryFolder;
  std::error_code error;
  // Workers made it with their first picture; a job cancelled before that, or
  // one whose seal was interrupted, has none.
  fs::create_directories(temporary, error);
  RETURN_IF_ERROR(FromErrorCode(error, "cannot create folder", temporary));
  RETURN_IF_ERROR(
      WriteResults(store, task_reader, job, shards, out, temporary));
  for (const Shard& shard : shards) {
    // A complete shard's pictures all have fixed names and are all in the
    // manifest, so there is nothing to look for.
    if (shard.done() == shard.pictures()) continue;
    RETURN_IF_ERROR(RemoveUnnamed(store, {job.id, shard.index}, out));
  }
  // Last of the three: whoever finds job.json finds the job complete.
  ASSIGN_OR_RETURN(
      DurableFile summary,
      DurableFile::Create(out / "job.json", temporary / "job.json"));
  ASSIGN_OR_RETURN(const std::vector<LoraPin> pins, store.LoadLoraPins(job.id));
  RETURN_IF_ERROR(summary.Append(JobText(job, pins, end_time)));
  RETURN_IF_ERROR(summary.Commit());
  // Also takes what workers left there when they were killed.
  fs::remove_all(temporary, error);
  return FromErrorCode(error, "cannot remove folder", temporary);
}

}  // namespace tessera::coordinator
