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
  for (const LoraUse& use : task.loras) names.push_back(use.name);
  std::sort(names.begin(), names.end());
  std::string key = absl::StrCat(task.width, "x", task.height);
  for (const std::string& name : names) absl::StrAppend(&key, "/", name);
  return key;
}

// Estimates the bytes of a task in memory and on the wire.
size_t TaskBytes(const ImageTask& task) {
  size_t bytes = sizeof(ImageTask) + task.custom_id.size() +
                 task.prompt.size() + task.negative_prompt.size();
  for (const LoraUse& use : task.loras) {
    bytes += sizeof(LoraUse) + use.name.size();
  }
  return bytes;
}

}  // namespace

Sharder::Sharder(const SharderOptions& options) : options_(options) {}

std::vector<ShardTasks> Sharder::Add(ImageTask task) {
  std::vector<ShardTasks> shards;
  std::string key = GroupKey(task);
  auto group = groups_.find(key);
  if (group == groups_.end()) {
    if (groups_.size() >= options_.max_open_groups) {
      shards.push_back(Cut(Fullest()));
    }
    group = groups_.try_emplace(std::move(key)).first;
  }
  const size_t bytes = TaskBytes(task);
  open_bytes_ += bytes;
  group->second.bytes += bytes;
  ShardTasks& tasks = group->second.tasks;
  tasks.push_back(std::move(task));
  if (tasks.size() >= static_cast<size_t>(options_.shard_size) ||
      group->second.bytes >= options_.max_shard_bytes) {
    shards.push_back(Cut(group));
  } else if (open_bytes_ >= options_.max_open_bytes) {
    shards.push_back(Cut(Fullest()));
  }
  return shards;
}

std::vector<ShardTasks> Sharder::Finish() {
  std::vector<ShardTasks> shards;
  shards.reserve(groups_.size());
  for (auto& [key, group] : groups_) shards.push_back(std::move(group.tasks));
  groups_.clear();
  open_bytes_ = 0;
  std::sort(shards.begin(), shards.end(),
            [](const ShardTasks& a, const ShardTasks& b) {
              return std::pair(a[0].line, a[0].index) <
                     std::pair(b[0].line, b[0].index);
            });
  return shards;
}

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
