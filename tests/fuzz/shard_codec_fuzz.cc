// Decodes bytes as what the coordinator stores and as what its callers send.
//
// Input: one byte that chooses the decoder (mod 6), then its bytes.
//   0  a stored shard            3  SynchronizeRequest
//   1  a stored shard before     4  CommitResultsRequest
//      it is compressed          5  a page token
//   2  JobHeader
#include <zstd.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "coordinator/field_rules.h"
#include "coordinator/service/codec.h"
#include "coordinator/service/shard_codec.h"
#include "coordinator/service/worker_codec.h"
#include "google/protobuf/util/json_util.h"

namespace tessera::coordinator {
namespace {

// Returns the task that `proto` was encoded from.
ImageTask TaskOf(const internal::v1::ImageTask& proto) {
  ImageTask task{.line = proto.line(),
                 .custom_id = proto.custom_id(),
                 .index = proto.index(),
                 .prompt = proto.prompt(),
                 .negative_prompt = proto.negative_prompt(),
                 .seed = proto.seed(),
                 .num_inference_steps = proto.num_inference_steps(),
                 .guidance_scale = proto.guidance_scale(),
                 .width = proto.width(),
                 .height = proto.height(),
                 .sampler = proto.sampler()};
  for (const v1::LoraReference& lora : proto.loras()) {
    task.loras.push_back({lora.name(), lora.scale(), lora.sha256()});
  }
  return task;
}

// Returns the tasks of a decoded shard.
ShardTasks TasksOf(const internal::v1::Shard& shard) {
  ShardTasks tasks;
  for (const internal::v1::ImageTask& task : shard.tasks()) {
    tasks.push_back(TaskOf(task));
  }
  return tasks;
}

// Checks that a reader of identities sees the tasks of the shard.
void CheckIdentities(std::string_view payload,
                     const internal::v1::Shard& shard) {
  const auto identities = ShardTaskReader().ReadTasks(payload);
  CHECK(identities.ok());
  CHECK(identities->size() == static_cast<size_t>(shard.tasks_size()));
  for (int i = 0; i < shard.tasks_size(); ++i) {
    const TaskIdentity& identity = (*identities)[static_cast<size_t>(i)];
    CHECK(identity.line == shard.tasks(i).line());
    CHECK(identity.custom_id == shard.tasks(i).custom_id());
    CHECK(identity.index == shard.tasks(i).index());
  }
}

// Checks that what decodes is kept by encoding and decoding it again.
void CheckStored(std::string_view payload) {
  absl::StatusOr<internal::v1::Shard> shard = DecodeShard(payload);
  if (!shard.ok()) {
    CHECK(absl::IsDataLoss(shard.status()));
    CHECK(!ShardTaskReader().ReadTasks(payload).ok());
    return;
  }
  CheckIdentities(payload, *shard);
  // Fields of a newer version are not the codec's to keep.
  shard->DiscardUnknownFields();
  const std::string encoded = EncodeShard(TasksOf(*shard));
  const absl::StatusOr<internal::v1::Shard> again = DecodeShard(encoded);
  CHECK(again.ok());
  CHECK(again->SerializeAsString() == shard->SerializeAsString());
  CHECK(EncodeShard(TasksOf(*again)) == encoded);
}

// Returns `bytes` as a compressed frame.
std::string Compressed(std::string_view bytes) {
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size =
      ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), 1);
  CHECK(!ZSTD_isError(size));
  frame.resize(size);
  return frame;
}

// Checks a width or height; 0 stands for the model's own.
void CheckSide(int pixels) {
  CHECK(pixels == 0 || (pixels >= 64 && pixels <= 4096 && pixels % 8 == 0));
}

// Checks the ranges of an accepted header.
void CheckRanges(const SubmitHeader& header) {
  const GenerationDefaults& defaults = header.lines.defaults;
  CHECK(!header.job.model.empty() && header.job.model.size() <= 128);
  CHECK(header.job.model.find('/') == std::string::npos);
  CHECK(!header.job.output_uri.empty());
  CHECK(header.job.shard_size >= 1 && header.job.shard_size <= 65536);
  CHECK(header.job.request_id.size() <= 64);
  CHECK(header.job.max_failed_images.value_or(0) >= 0);
  CHECK(defaults.num_inference_steps >= 1);
  CHECK(defaults.num_inference_steps <= 1000);
  CHECK(defaults.guidance_scale >= 0 && defaults.guidance_scale <= 100);
  CheckSide(defaults.width);
  CheckSide(defaults.height);
  CHECK(defaults.negative_prompt.size() <= kMaxPromptBytes);
  CHECK(defaults.loras.size() <= kMaxLoras);
  for (const LoraUse& use : defaults.loras) {
    CHECK(header.lines.known_loras.contains(use.name));
    CHECK(std::isfinite(use.scale));
  }
}

// Checks a job's header: ranges, and that the request as JSON is the request.
void CheckHeader(const std::string& bytes) {
  v1::JobHeader proto;
  if (!proto.ParseFromString(bytes)) return;
  const absl::StatusOr<SubmitHeader> header = DecodeJobHeader(proto, nullptr);
  if (!header.ok()) {
    CHECK(absl::IsInvalidArgument(header.status()));
    return;
  }
  CheckRanges(*header);
  v1::JobHeader read;
  CHECK(google::protobuf::util::JsonStringToMessage(header->job.request_json,
                                                    &read)
            .ok());
  proto.DiscardUnknownFields();
  CHECK(read.SerializeAsString() == proto.SerializeAsString());
}

// Checks that a worker's call names a worker and whole leases.
void CheckSynchronize(const std::string& bytes) {
  internal::v1::SynchronizeRequest proto;
  if (!proto.ParseFromString(bytes)) return;
  const auto request = DecodeSynchronize(proto);
  if (!request.ok()) {
    CHECK(absl::IsInvalidArgument(request.status()));
    return;
  }
  CHECK(request->worker.value() == proto.worker_id());
  CHECK(!proto.worker_id().empty() && proto.worker_id().size() <= 128);
  CHECK(request->executing.has_value() == proto.has_executing());
  if (!request->executing.has_value()) return;
  CHECK(!request->executing->shard.job.value().empty());
  CHECK(request->executing->shard.index >= 0);
  CHECK(request->executing->epoch >= 0);
}

// Checks that results keep their order and their pictures.
void CheckCommit(const std::string& bytes) {
  internal::v1::CommitResultsRequest proto;
  if (!proto.ParseFromString(bytes)) return;
  const auto request = DecodeCommit(proto);
  if (!request.ok()) {
    CHECK(absl::IsInvalidArgument(request.status()));
    return;
  }
  CHECK(request->results.size() == static_cast<size_t>(proto.results_size()));
  for (int i = 0; i < proto.results_size(); ++i) {
    const TaskResult& result = request->results[static_cast<size_t>(i)];
    const internal::v1::TaskResult& sent = proto.results(i);
    CHECK(result.task == sent.task());
    const auto* image = std::get_if<ImageRecord>(&result.outcome);
    CHECK((image != nullptr) == sent.has_image());
    if (image == nullptr) continue;
    CHECK(EncodeImage(*image).SerializeAsString() == [&] {
      v1::Image known = sent.image();
      known.DiscardUnknownFields();
      return known.SerializeAsString();
    }());
  }
}

// Checks that only the service's own tokens are taken.
void CheckPageToken(const std::string& token) {
  const absl::StatusOr<int64_t> position = DecodePageToken(token);
  if (!position.ok()) {
    CHECK(absl::IsInvalidArgument(position.status()));
    return;
  }
  CHECK(*position >= 0);
  CHECK(EncodePageToken(*position) == token);
}

// Gives the bytes to the decoder that the first one chooses.
void CheckInput(std::string_view input) {
  if (input.empty()) return;
  const std::string bytes(input.substr(1));
  switch (static_cast<uint8_t>(input[0]) % 6) {
    case 0:
      return CheckStored(input.substr(1));
    case 1:
      return CheckStored(Compressed(bytes));
    case 2:
      return CheckHeader(bytes);
    case 3:
      return CheckSynchronize(bytes);
    case 4:
      return CheckCommit(bytes);
    default:
      return CheckPageToken(bytes);
  }
}

}  // namespace
}  // namespace tessera::coordinator

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tessera::coordinator::CheckInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
