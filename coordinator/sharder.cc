#include "coordinator/sharder.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tessera::coordinator {
namespace {

// Names what a worker prepares once for all pictures of a group. LoRA names
// hold no '/', so no two sets share a key.
std::string GroupKey(const ImageTask& task) {
  std::vector<std::string> names;
  names.reserve(task.loras.size());
  for (const LoraUse& use : task.loras) {
    // Two versions of one name are as unlike as two names.
    names.push_back(absl::StrCat(use.name, "@", use.sha256));
  }
  // Sorted, as the order in which a line names LoRAs does not matter to a
  // cache. Scales are left out: workers apply them a picture.
  std::sort(names.begin(), names.end());
  std::string key = absl::StrCat(task.width, "x", task.height);
  for (const std::string& name : names) absl::StrAppend(&key, "/", name);
  return key;
}

// Estimates the bytes of a task in memory and on the wire.
// The struct's own size stands for numbers and for the overhead of messages, so
// the sum stays above what is sent.
size_t TaskBytes(const ImageTask& task) {
  size_t bytes = sizeof(ImageTask) + task.custom_id.size() +
                 task.prompt.size() + task.negative_prompt.size();
  for (const LoraUse& use : task.loras) {
    bytes += sizeof(LoraUse) + use.name.size() + use.sha256.size();
  }
  return bytes;
}

}  // namespace

Sharder::Sharder(const SharderOptions& options) : options_(options) {}

std::vector<ShardTasks> Sharder::Add(ImageTask task) {
  std::vector<ShardTasks> shards;
  // A copy of the key a picture; text is cheap beside parsing the line.
  std::string key = GroupKey(task);
  auto group = groups_.find(key);
  if (group == groups_.end()) {
    if (groups_.size() >= options_.max_open_groups) {
      // Bounds the memory for input that names a new size or set in every line.
      // The fullest is nearest to being cut anyway.
      shards.push_back(Cut(Fullest()));
    }
    group = groups_.try_emplace(std::move(key)).first;
  }
  const size_t bytes = TaskBytes(task);
  open_bytes_ += bytes;
  group->second.bytes += bytes;
  ShardTasks& tasks = group->second.tasks;
  tasks.push_back(std::move(task));
  // Either limit ends a shard, so a shard exceeds the bytes by one picture at
  // most, and fits a message (rpc::kMaxMessageBytes).
  if (tasks.size() >= static_cast<size_t>(options_.shard_size) ||
      group->second.bytes >= options_.max_shard_bytes) {
    shards.push_back(Cut(group));
    // Cuts one group only: it is the fullest, so this makes room for long.
  } else if (open_bytes_ >= options_.max_open_bytes) {
    shards.push_back(Cut(Fullest()));
  }
  return shards;
}

std::vector<ShardTasks> Sharder::Finish() {
  std::vector<ShardTasks> shards;
  shards.reserve(groups_.size());
  // Never empty: a group is made for a picture and goes when it is cut.
  for (auto& [key, group] : groups_) shards.push_back(std::move(group.tasks));
  groups_.clear();
  open_bytes_ = 0;
  // Out of the hash order: the same file always gives the same shards.
  std::sort(shards.begin(), shards.end(),
            [](const ShardTasks& a, const ShardTasks& b) {
              return std::pair(a[0].line, a[0].index) <
                     std::pair(b[0].line, b[0].index);
            });
  return shards;
}

// Ends a group and returns its pictures; the next one of its kind begins anew.
ShardTasks Sharder::Cut(Groups::iterator group) {
  ShardTasks tasks = std::move(group->second.tasks);
  open_bytes_ -= group->second.bytes;
  groups_.erase(group);
  return tasks;
}

// By bytes, then by first picture, so that hash order never shows.
Sharder::Groups::iterator Sharder::Fullest() {
  return std::max_element(groups_.begin(), groups_.end(),
                          [](const auto& a, const auto& b) {
                            const ImageTask& x = a.second.tasks[0];
                            const ImageTask& y = b.second.tasks[0];
                            return std::tuple(a.second.bytes, y.line, y.index) <
                                   std::tuple(b.second.bytes, x.line, x.index);
                          });
}

}  // namespace tessera::coordinator
