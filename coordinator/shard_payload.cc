#include "coordinator/shard_payload.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tessera::coordinator {
namespace {

// Says which shard is lost: the message reaches errors.jsonl, where the
// pictures' own ids are no longer known.
absl::Status Damaged(const ShardId& shard, const std::string& why) {
  return absl::DataLossError(absl::StrCat("the stored prompts of shard ",
                                          shard.index, " are damaged: ", why));
}

}  // namespace

absl::StatusOr<ShardPayload> ReadShardPayload(const JobStore& store,
                                              const TaskReader& task_reader,
                                              const ShardId& shard,
                                              int32_t pictures) {
  absl::StatusOr<std::string> bytes = store.ReadPayload(shard);
  // A shard is stored together with its payload, so one that is missing was
  // lost later. Other errors are of the store, not of this shard.
  if (absl::IsNotFound(bytes.status()) || absl::IsDataLoss(bytes.status())) {
    return Damaged(shard, std::string(bytes.status().message()));
  }
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<std::vector<TaskIdentity>> tasks =
      task_reader.ReadTasks(*bytes);
  if (!tasks.ok()) return Damaged(shard, std::string(tasks.status().message()));
  // Results and the bitmap name tasks by their place, so another number of
  // them means other prompts.
  if (static_cast<int64_t>(tasks->size()) != pictures) {
    return Damaged(shard, absl::StrCat("holds ", tasks->size(),
                                       " pictures, expected ", pictures));
  }
  return ShardPayload{*std::move(bytes), *std::move(tasks)};
}

}  // namespace tessera::coordinator
