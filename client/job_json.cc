#include "client/job_json.h"

#include <string_view>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "nlohmann/json.hpp"

namespace tessera::client {
namespace {

using nlohmann::ordered_json;

// Writes one line, so that a consumer reads an object a line.
std::string Dump(const ordered_json& object) {
  // Bytes that are not UTF-8 become U+FFFD instead of an exception.
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// Shortens a name of an enumeration; one that a newer service sent stays as it
// is.
std::string WithoutPrefix(const std::string& name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

// Adds a time in UTC with milliseconds, the same form as the logs have.
void AddTime(ordered_json& object, const char* name,
             const google::protobuf::Timestamp& stamp) {
  const absl::Time time =
      absl::FromUnixSeconds(stamp.seconds()) + absl::Nanoseconds(stamp.nanos());
  object[name] =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

}  // namespace

std::string StateName(v1::JobState state) {
  return WithoutPrefix(v1::JobState_Name(state), "JOB_STATE_");
}

std::string StateName(v1::WorkerState state) {
  return WithoutPrefix(v1::WorkerState_Name(state), "WORKER_STATE_");
}

std::string ToJson(const v1::Job& job) {
  const v1::ImageCounts& images = job.images();
  ordered_json object = {{"job_id", job.job_id()},
                         {"state", StateName(job.state())},
                         {"model", job.model()},
                         {"output_uri", job.output_uri()},
                         {"images",
                          {{"total", images.total()},
                           {"waiting", images.waiting()},
                           {"done", images.done()},
                           {"failed", images.failed()},
                           {"cancelled", images.cancelled()}}},
                         {"lines", job.lines()},
                         {"shards", job.shards()},
                         {"shards_finished", job.shards_finished()},
                         {"retries", job.retries()},
                         {"images_per_second", job.images_per_second()}};
  // Absent rather than empty: a consumer can tell "never" from a time.
  if (job.has_create_time()) AddTime(object, "create_time", job.create_time());
  if (job.has_start_time()) AddTime(object, "start_time", job.start_time());
  if (job.has_end_time()) AddTime(object, "end_time", job.end_time());
  // Only where there is something to say.
  if (!job.message().empty()) object["message"] = job.message();
  if (!job.warnings().empty()) {
    ordered_json& warnings = object["warnings"] = ordered_json::array();
    for (const std::string& warning : job.warnings()) {
      warnings.push_back(warning);
    }
  }
  if (!job.request_id().empty()) object["request_id"] = job.request_id();
  return Dump(object);
}

std::string ToJson(const v1::Image& image) {
  return Dump({{"custom_id", image.custom_id()},
               {"index", image.index()},
               {"seed", image.seed()},
               {"path", image.path()},
               {"sha256", image.sha256()},
               {"width", image.width()},
               {"height", image.height()},
               {"worker", image.worker()},
               {"seconds", image.seconds()}});
}

std::string ToJson(const v1::Worker& worker) {
  ordered_json models = ordered_json::array();
  for (const std::string& model : worker.models()) models.push_back(model);
  ordered_json object = {{"worker_id", worker.worker_id()},
                         {"state", StateName(worker.state())},
                         {"host", worker.host()},
                         {"device", worker.device()},
                         {"threads", worker.threads()},
                         {"version", worker.version()},
                         {"models", models},
                         {"images_done", worker.images_done()}};
  // Both or none: the index means nothing without its job.
  if (!worker.job_id().empty()) {
    object["job_id"] = worker.job_id();
    object["shard_index"] = worker.shard_index();
  }
  if (worker.has_last_synchronize_time()) {
    AddTime(object, "last_synchronize_time", worker.last_synchronize_time());
  }
  return Dump(object);
}

std::string ToJson(const v1::Lora& lora) {
  ordered_json object = {{"name", lora.name()},
                         {"sha256", lora.sha256()},
                         {"size_bytes", lora.size_bytes()},
                         {"dialect", lora.dialect()},
                         {"layers", lora.layers()},
                         {"in_use", lora.in_use()}};
  if (lora.has_create_time()) {
    AddTime(object, "create_time", lora.create_time());
  }
  return Dump(object);
}

}  // namespace tessera::client
