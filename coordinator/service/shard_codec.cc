#include "coordinator/service/shard_codec.h"

#include <zstd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/rpc/channel.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Prompts shrink to about a third at any level; level 1 keeps the submit path
// limited by parsing, not by compression.
constexpr int kCompressionLevel = 1;

void EncodeTask(const ImageTask& task, internal::v1::ImageTask& proto) {
  proto.set_line(task.line);
  proto.set_custom_id(task.custom_id);
  proto.set_index(task.index);
  proto.set_prompt(task.prompt);
  proto.set_negative_prompt(task.negative_prompt);
  proto.set_seed(task.seed);
  proto.set_num_inference_steps(task.num_inference_steps);
  proto.set_guidance_scale(task.guidance_scale);
  proto.set_width(task.width);
  proto.set_height(task.height);
  proto.set_sampler(task.sampler);
  for (const LoraUse& use : task.loras) {
    v1::LoraReference& lora = *proto.add_loras();
    lora.set_name(use.name);
    lora.set_scale(use.scale);
  }
}

absl::Status Damaged(std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("stored shard is damaged: ", std::string(what)));
}

}  // namespace

std::string EncodeShard(const ShardTasks& tasks) {
  internal::v1::Shard shard;
  for (const ImageTask& task : tasks) EncodeTask(task, *shard.add_tasks());
  const std::string bytes = shard.SerializeAsString();
  std::string payload(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size =
      ZSTD_compress(payload.data(), payload.size(), bytes.data(), bytes.size(),
                    kCompressionLevel);
  CHECK(!ZSTD_isError(size));
  payload.resize(size);
  return payload;
}

absl::StatusOr<internal::v1::Shard> DecodeShard(std::string_view payload) {
  const unsigned long long size =
      ZSTD_getFrameContentSize(payload.data(), payload.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
    return Damaged("not a compressed frame of known size");
  }
  if (size > static_cast<unsigned long long>(rpc::kMaxMessageBytes)) {
    return Damaged(absl::StrCat(size, " bytes are more than a message holds"));
  }
  std::string bytes(size, '\0');
  const size_t got = ZSTD_decompress(bytes.data(), bytes.size(), payload.data(),
                                     payload.size());
  if (ZSTD_isError(got)) return Damaged(ZSTD_getErrorName(got));
  internal::v1::Shard shard;
  if (got != size || !shard.ParseFromString(bytes)) {
    return Damaged("not a shard");
  }
  return shard;
}

absl::StatusOr<std::vector<TaskIdentity>> ShardTaskReader::ReadTasks(
    std::string_view payload) const {
  ASSIGN_OR_RETURN(const internal::v1::Shard shard, DecodeShard(payload));
  std::vector<TaskIdentity> tasks;
  tasks.reserve(shard.tasks_size());
  for (const internal::v1::ImageTask& task : shard.tasks()) {
    tasks.push_back({task.line(), task.custom_id(), task.index()});
  }
  return tasks;
}

}  // namespace tessera::coordinator
