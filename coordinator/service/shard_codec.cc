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

// Writes everything a worker needs for a picture; the line's other pictures may
// be in shards of other workers, so nothing is shared between tasks.
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
    lora.set_sha256(use.sha256);
  }
}

// Says what is wrong with a stored shard. DATA_LOSS: it was whole when it was
// stored, so no retry can help.
absl::Status Damaged(std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("stored shard is damaged: ", std::string(what)));
}

}  // namespace

std::string EncodeShard(const ShardTasks& tasks) {
  internal::v1::Shard shard;
  // Keeps the order of tasks: their place is the number that results, the
  // bitmap of finished tasks and conflicts name them by.
  for (const ImageTask& task : tasks) EncodeTask(task, *shard.add_tasks());
  const std::string bytes = shard.SerializeAsString();
  std::string payload(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size =
      ZSTD_compress(payload.data(), payload.size(), bytes.data(), bytes.size(),
                    kCompressionLevel);
  // With room for the worst case zstd can only fail for lack of memory.
  CHECK(!ZSTD_isError(size));
  payload.resize(size);
  return payload;
}

absl::StatusOr<internal::v1::Shard> DecodeShard(std::string_view payload) {
  const unsigned long long size =
      ZSTD_getFrameContentSize(payload.data(), payload.size());
  // EncodeShard always writes the size, so a frame without it is not ours.
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
    return Damaged("not a compressed frame of known size");
  }
  // Checked before the allocation: the size comes from the file, and a flipped
  // bit must not become gigabytes.
  if (size > static_cast<unsigned long long>(rpc::kMaxMessageBytes)) {
    return Damaged(absl::StrCat(size, " bytes are more than a message holds"));
  }
  std::string bytes(size, '\0');
  const size_t got = ZSTD_decompress(bytes.data(), bytes.size(), payload.data(),
                                     payload.size());
  if (ZSTD_isError(got)) return Damaged(ZSTD_getErrorName(got));
  internal::v1::Shard shard;
  // A second frame, or a shorter one, is damage as well.
  if (got != size || !shard.ParseFromString(bytes)) {
    return Damaged("not a shard");
  }
  return shard;
}

absl::StatusOr<std::vector<TaskIdentity>> ShardTaskReader::ReadTasks(
    std::string_view payload) const {
  ASSIGN_OR_RETURN(const internal::v1::Shard shard, DecodeShard(payload));
  std::vector<TaskIdentity> tasks;
  // Only identities leave: prompts are long, and the seal reads every shard.
  tasks.reserve(shard.tasks_size());
  for (const internal::v1::ImageTask& task : shard.tasks()) {
    tasks.push_back({task.line(), task.custom_id(), task.index()});
  }
  return tasks;
}

}  // namespace tessera::coordinator
